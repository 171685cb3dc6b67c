import NIOCore
import Synchronization

/// Sits in a connection and tells when its client goes away: it closed its side, or the connection broke.
///
/// A client that closes only what it sends counts as gone too, since the two can't be told apart, and an answer
/// that nobody reads is costly.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = Never

  private struct State {
    var isGone = false
    var next = 0
    var actions: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  /// Runs `body`; if the client goes away meanwhile, or has gone, `action` runs once.
  func whileConnected<Value>(
    _ body: () async throws -> Value, orWhenGone action: @escaping @Sendable () -> Void
  ) async rethrows -> Value {
    let id = state.withLock { state -> Int? in
      guard !state.isGone else { return nil }
      state.next += 1
      state.actions[state.next] = action
      return state.next
    }
    if id == nil { action() }
    defer { if let id { state.withLock { $0.actions[id] = nil } } }
    return try await body()
  }

  var isGone: Bool { state.withLock(\.isGone) }

  /// Bounds what the system holds for a client that doesn't read: by itself it takes megabytes.
  func handlerAdded(context: ChannelHandlerContext) {
    context.channel.setOption(.socketOption(.so_sndbuf), value: 1 << 16)
      .whenFailure { _ in }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.fireChannelRead(data) }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    leave()
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed { leave() }
    context.fireUserInboundEventTriggered(event)
  }

  private func leave() {
    let actions = state.withLock { state in
      state.isGone = true
      defer { state.actions = [:] }
      return state.actions
    }
    for action in actions.values { action() }
  }
}
