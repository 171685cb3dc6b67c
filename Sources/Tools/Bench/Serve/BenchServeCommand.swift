import ArgumentParser
import Files
import Foundation
import Server

/// `speculate bench serve`: a load on one or more servers.
struct BenchServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Put a load on a server, and tell how long answers take.",
    discussion: """
      Any server that speaks OpenAI's API can be measured, this one and llama-server as well. With \
      --clients each client sends its next request when it has its answer; with --rate requests come at \
      random times, whoever waits. Several servers are measured one after the other.

      --shared-prefix measures what a server's prefix cache saves: each of some texts is the beginning of \
      two prompts, one after the other, and the time to the first token is told for the first and for \
      the second of them.

      speculate bench serve --url http://127.0.0.1:8080 --prompt-file prompts.jsonl --clients 8
      speculate bench serve --url http://127.0.0.1:8080 --url http://127.0.0.1:8081 \
      --prompt-file prompts.jsonl --rate 2 --requests 100 --json
      speculate bench serve --url http://127.0.0.1:8080 --prompt-file prompts.jsonl --shared-prefix 1000
      """)

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A server to measure; may be given several times.", valueName: "http://host:port"))
  var url: [String]
  @Option(
    "The prompts: a .jsonl file with a 'prompt' field or a chat in every line, or a text file; - reads "
      + "standard input.", value: "file", parsing: .unconditional)
  var promptFile: String
  @OptionGroup var limit: PromptLimit
  @Flag(help: "Take texts for what a user says, and ask for an answer of a chat.") var chat = false
  @Option("Clients that each wait for their answer. (default: 8)", value: "n") var clients: Int?
  @Option("Requests a second, whoever waits.", value: "x") var rate: Double?
  @Option(
    "Tokens of a beginning that two prompts share, cut from the prompts' texts; one request at a time.",
    value: "n")
  var sharedPrefix: Int?
  @Option("Requests in all, or beginnings. (default: one a prompt; 8 beginnings)", value: "n")
  var requests: Int?
  @Option("Tokens of an answer at most. (default: 128; 1 with --shared-prefix)", value: "n")
  var maxTokens: Int?
  @Option("0 takes the most probable token; higher values vary more.", value: "t")
  var temperature: Float = 0
  @Option("Selects the random numbers, of answers and of the times of requests.", value: "n")
  var seed: UInt64 = 0
  @Flag(help: "Ask for answers that go on past end tokens, so that all have the same length.")
  var ignoreEnd = false
  @Option("What requests call the model. (default: the first that the server has)", value: "name")
  var model: String?
  @Option(
    "The key to send. (default: $SPECULATE_API_KEY, or none)", value: "key", parsing: .unconditional
  )
  var apiKey: String?
  @Option("Seconds that a request waits for more of its answer.", value: "s") var timeout = 600.0
  @Option("Seconds to the first token for an answer to count as goodput. (default: 1)", value: "s")
  var goalFirst: Double?
  @Option(
    "Seconds of each token after it for an answer to count as goodput. (default: 0.1)", value: "s")
  var goalToken: Double?
  @Flag(help: "Print one JSON object a server instead of text.") var json = false

  func validate() throws {
    try OptionCheck.range("--clients", clients, 1...1024)
    try OptionCheck.aboveZero("--rate", rate)
    try OptionCheck.atLeast(
      1, ("--requests", requests), ("--max-tokens", maxTokens), ("--shared-prefix", sharedPrefix))
    try OptionCheck.range("--temperature", temperature, 0...100)
    for case (let option, let value?) in [
      ("--timeout", timeout), ("--goal-first", goalFirst), ("--goal-token", goalToken),
    ] {
      try OptionCheck.aboveZero(option, value)
      try OptionCheck.range(option, value, 0...1e6)
    }
    if clients != nil && rate != nil {
      throw ValidationError("--clients and --rate are two ways to put a load: give one of them")
    }
    guard sharedPrefix != nil else { return }
    for (option, isGiven) in [
      ("--clients", clients != nil), ("--rate", rate != nil), ("--chat", chat),
      ("--goal-first", goalFirst != nil), ("--goal-token", goalToken != nil),
    ] where isGiven {
      throw ValidationError("\(option) means nothing with --shared-prefix: leave one of them out")
    }
  }

  func run() throws {
    let prompts = limit.first(of: try PromptInput.file(promptFile))
    let key = apiKey ?? ProcessInfo.processInfo.environment["SPECULATE_API_KEY"]
    let targets = try url.map {
      try LoadTarget($0, key: key.flatMap { $0.isEmpty ? nil : $0 }, model: model)
    }
    Interruption.watch()
    var failed = false
    for target in targets where !Interruption.requested {
      let name = try target.model ?? LoadClient(target, timeout: timeout).model()
      if let sharedPrefix {
        let report = try measure(target, name, prompts, prefix: sharedPrefix)
        failed = failed || report.failed > 0
        try json ? Output.json(report) : Output.line(report.lines.joined(separator: "\n"))
        continue
      }
      let run = LoadRun(
        target: target,
        requests: try prompts.map {
          try LoadRequest($0, isChat: chat, model: name, settings: settings)
        }, pace: rate.map(LoadRun.Pace.rate) ?? .clients(clients ?? 8),
        count: requests ?? prompts.count, timeout: timeout, seed: seed)
      let (samples, seconds) = run.run()
      let report = LoadReport(
        target, model: name, samples, seconds: seconds,
        goal: .init(firstToken: goalFirst ?? 1, perToken: goalToken ?? 0.1))
      failed = failed || report.failed > 0
      if json {
        try Output.json(report)
      } else {
        try Output.line(report.lines.joined(separator: "\n"))
      }
    }
    Interruption.finish()
    if Interruption.requested { throw Interruption.exitCode }
    if failed { throw ExitCode.failure }
  }

  /// Measures what a server's prefix cache saves.
  private func measure(
    _ target: LoadTarget, _ model: String, _ prompts: [PromptInput.Prompt], prefix: Int
  ) throws -> PrefixReport {
    let client = LoadClient(target, timeout: timeout)
    var pool: [Int] = []
    for case .text(let text) in prompts.map(\.content) where !text.isEmpty {
      pool += try client.ids(of: text)
    }
    guard pool.count > 1 else {
      throw SpeculateError(
        "--prompt-file \(promptFile) holds no texts for --shared-prefix: give some, not chats")
    }
    let pairs = PrefixRun(
      client: client, model: model, pool: pool, length: prefix, count: requests ?? 8, seed: seed,
      settings: settings
    ).run()
    return PrefixReport(url: target.url, model: model, length: prefix, pairs)
  }

  /// Members of every request's body.
  private var settings: [(String, String)] {
    [
      ("max_tokens", "\(maxTokens ?? (sharedPrefix == nil ? 128 : 1))"),
      ("temperature", "\(temperature)"),
      ("seed", "\(Int64(bitPattern: seed))"),
    ] + (ignoreEnd ? [("ignore_eos", "true")] : [])
  }
}
