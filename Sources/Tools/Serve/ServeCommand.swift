import Analysis
import ArgumentParser
import Files
import Foundation
import Logging
import Server
import Speculate
import Synchronization
import Tensors
import Text
import Verifier

/// `speculate serve`: a model behind OpenAI's HTTP API.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve a model to programs that speak OpenAI's HTTP API, and to browsers.",
    discussion: """
      Requests share the passes of the target and of the drafter, and each answer is the one that it would \
      get alone. Only programs of this machine are answered unless --host says otherwise. Ctrl-C, or a \
      polite kill, lets running answers come to their end; a second one ends at once.

      speculate serve
      speculate serve --target qwen3-8b --drafter qwen3-8b-dflash --port 8000 --api-key-file key.txt
      """)

  @OptionGroup(title: "Models") var target: TargetOptions
  @OptionGroup(title: "Models") var drafter: DrafterOptions
  @OptionGroup(title: "Models") var weights: WeightOptions
  @OptionGroup(title: "Models") var cache: CacheOptions
  @OptionGroup(title: "Models") var threads: ThreadOptions
  @OptionGroup(title: "Models") var template: ChatTemplateFlags
  @OptionGroup(title: "Drafting") var drafting: DraftOptions
  @OptionGroup(title: "Drafting") var scaffold: ScaffoldOption
  @OptionGroup(title: "Batching") var batching: BatchOptions
  @OptionGroup(title: "Server") var server: ServerOptions

  func validate() throws { try drafting.check(drafter) }

  func run() throws {
    let keys = try server.keys()
    let folder = try target.folder()
    let way = try drafting.way(drafter, for: target, scaffold: scaffold.isOn ?? true)
    let chat = try template.settings()
    let state = ServerState()
    var configuration = APIServer.Configuration(
      host: server.host, port: server.port, version: SpeculateCommand.configuration.version)
    configuration.keys = keys
    configuration.origins = server.corsOrigin
    configuration.allowedHosts = server.allowedHosts
    configuration.limits = server.limits
    configuration.logsPrompts = server.logPrompts
    let isJSON = server.json
    let logger = Logger(label: "speculate") { _ in ServeLog(isJSON: isJSON) }
    let api = APIServer(configuration, state: state, logger: logger)
    let load: @Sendable () throws -> ModelService = {
      let generator = try BatchGenerator(
        target: folder, drafter: way.drafter, weights: weights.choice,
        drafterWeights: drafter.weights, drafterPasses: drafter.passes, cacheFormat: cache.format,
        threads: threads.count, chat: chat,
        costCache: .user(measuresAgain: drafting.remeasure), settings: batching.settings)
      if case .draft(let drafts) = way, let denoising = drafts.denoising {
        try denoising.check(generator.text.drafter)
      }
      Output.notices(
        generator.notices.filter { $0 != generator.text.model.samplingNotice })
      return ModelService(
        generator: generator,
        name: server.modelName ?? folder.deletingPathExtension().lastPathComponent,
        fingerprint: try fingerprint(folder, generator),
        defaults: try SamplingDefaults.sampling(directory: folder), mode: way.mode,
        template: ChatEncoder(
          directory: folder, tokenizer: generator.text.tokenizer, settings: chat
        ).sources,
        promptLimit: batching.maxPrompt)
    }
    // Ctrl-C ends the process while it loads.
    try Blocking.run {
      try await serve(api, state, drafts: drafts(way.drafter), load)
    }
  }

  private func serve(
    _ api: APIServer, _ state: ServerState, drafts: String,
    _ load: @escaping @Sendable () throws -> ModelService
  ) async throws {
    let host = server.host.contains(":") ? "[\(server.host)]" : server.host
    let (listening, tell) = AsyncStream<Void>.makeStream()
    try await api.run(patience: server.drainTimeout) { port in
      Output.note("listening on http://\(host):\(port)/ ; loading the model\n")
      tell.finish()
    } untilLeaving: {
      // Where nothing can listen, nothing is loaded.
      for await _ in listening {}
      try Task.checkCancellation()
      let service = try await Blocking.elsewhere(load)
      Interruption.watch(patience: nil)
      state.serve(service)
      Output.note(
        "serving \(service.name)\(drafts), \(Figures.count(service.generator.contextLength)) tokens of "
          + "context\n")
      while !Interruption.requested { try await Task.sleep(for: .milliseconds(50)) }
      Output.note("leaving when the running answers have ended; Ctrl-C again ends at once\n")
    }
  }

  /// What drafts, whether it was named or found.
  private func drafts(_ folder: URL?) -> String {
    switch (folder, drafter.drafter) {
    case (_?, .some(.folder(let path))): " with the drafter \(path)"
    case (let folder?, _): " with the drafter \(folder.lastPathComponent)"
    case (nil, .some(.none)): " without drafts"
    case (nil, _): " with drafts from earlier text"
    }
  }

  /// Whatever could change an answer: the weights' bytes, the formats, and the instructions.
  private func fingerprint(_ folder: URL, _ generator: BatchGenerator) throws -> String {
    var hash = FNV1a(seed: 0)
    let parts = [
      try FingerprintCache().fingerprint(of: folder), generator.text.model.formats.description,
      cache.format.rawValue, Machine(threads: 1).instructionSet,
    ]
    for byte in parts.joined(separator: " ").utf8 { hash.add(word: UInt64(byte)) }
    return "fp_" + String(hash.value, radix: 16)
  }
}

/// Asynchronous work in a command, whose main thread waits for it.
enum Blocking {
  /// Runs `body` to its end.
  static func run(_ body: @escaping @Sendable () async throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<Void, any Error>>(.success(()))
    Task.detached {
      do { try await body() } catch { result.withLock { $0 = .failure(error) } }
      done.signal()
    }
    done.wait()
    try result.withLock { $0 }.get()
  }

  /// Runs what takes long on a thread of its own.
  static func elsewhere<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }
}
