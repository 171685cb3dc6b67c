import Files
import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Speculate
import Synchronization

/// An HTTP server that speaks OpenAI's API.
///
/// It listens at once and says 503 until the model is loaded. Its answers are those of ``ModelService``; it adds
/// what the way over a wire needs: routes, limits, keys, streams, and an orderly end.
package struct APIServer: Sendable {
  /// Where it listens and whom it answers.
  package struct Configuration: Sendable {
    package var host: String
    /// 0 takes any that is free.
    package var port: Int
    /// Keys that requests may be signed with; none are needed if there is none.
    package var keys: [String] = []
    /// Origins whose pages may ask, or `*`.
    package var origins: [String] = []
    /// Names that requests may call the server by besides its address, or `*` for any. On loopback any other is
    /// refused, elsewhere once some are named.
    package var allowedHosts: [String] = []
    package var limits = ServerLimits()
    package var logsPrompts = false
    package var version: String

    package init(host: String, port: Int, version: String) {
      self.host = host
      self.port = port
      self.version = version
    }
  }

  private let configuration: Configuration
  private let state: ServerState
  private let logger: Logger
  private let replies = OpenReplies()

  package init(_ configuration: Configuration, state: ServerState, logger: Logger) {
    self.configuration = configuration
    self.state = state
    self.logger = logger
  }

  /// Listens until it is told to leave.
  ///
  /// - Parameters:
  ///   - onListening: told the port once the server listens.
  ///   - untilLeaving: returns when the server is to leave. From then on no request is taken; those that run come
  ///     to their end within `patience` seconds, or are cut.
  /// - Throws: ``SpeculateError`` when it can't listen.
  package func run(
    patience: Double, onListening: @escaping @Sendable (_ port: Int) async -> Void,
    untilLeaving: @escaping @Sendable () async throws -> Void
  ) async throws {
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let quiet = Self.quiet
    let isLeaving = Flag()
    let application = Application(
      responder: responder, server: .http1(configuration: channel),
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: "speculate",
        availableConnectionsDelegate: MaximumAvailableConnections(
          configuration.limits.connections, logger: quiet)),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
      eventLoopGroupProvider: .shared(threads), logger: quiet)
    var services = ServiceGroupConfiguration(
      services: [.init(service: application)], logger: quiet)
    // Answers have ended by then, or were cut; what is left are clients that don't read.
    services.maximumGracefulShutdownDuration = .seconds(2)
    let group = ServiceGroup(configuration: services)
    do {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        tasks.addTask {
          let end = await Result { try await untilLeaving() }
          if case .success = end { isLeaving.raise() }
          await leave(within: patience)
          await group.triggerGracefulShutdown()
          try end.get()
        }
        // The first that fails ends the other.
        while try await tasks.next() != nil {}
      }
    } catch  where isLeaving.isRaised {
      // The time for the last clients was over.
    } catch let error as SpeculateError {
      throw error
    } catch {
      let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      throw SpeculateError(
        "can't listen on ‘host’ \(configuration.host), ‘port’ \(configuration.port): \(reason)")
    }
    try await threads.shutdownGracefully()
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
  }

  private var responder: APIResponder {
    APIResponder(
      endpoints: Endpoints(state: state, version: configuration.version), replies: replies,
      access: AccessRules(keys: configuration.keys, origins: configuration.origins),
      hosts: HostRules(bound: configuration.host, allowed: configuration.allowedHosts),
      limits: configuration.limits, started: Int(Date().timeIntervalSince1970),
      logsPrompts: configuration.logsPrompts, logger: logger)
  }

  private var channel: HTTP1Channel.Configuration {
    HTTP1Channel.Configuration(
      additionalChannelHandlers: [ConnectionWatch()],
      idleTimeout: .nanoseconds(Int64(configuration.limits.idleSeconds * 1e9)))
  }

  /// Lets running requests come to their end, or cuts them when the patience is over.
  private func leave(within patience: Double) async {
    guard let generator = state.service?.generator else { return }
    let timer = Task {
      try await Task.sleep(for: .seconds(patience))
      await generator.shutdown()
    }
    await generator.drain()
    timer.cancel()
    // Their ends wait for readers yet; one that reads nothing is not waited for.
    await replies.settle(within: 5)
  }

  /// The framework's own words are not for the log of a server.
  private static var quiet: Logger { Logger(label: "speculate") { _ in SwiftLogNoOpLogHandler() } }
}

extension Result where Failure == any Error {
  /// What becomes of asynchronous work.
  fileprivate init(_ body: () async throws -> Success) async {
    do {
      self = .success(try await body())
    } catch {
      self = .failure(error)
    }
  }
}
