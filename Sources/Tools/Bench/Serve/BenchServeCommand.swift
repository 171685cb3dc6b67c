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

      speculate bench serve --url http://127.0.0.1:8080 --prompt-file prompts.jsonl --clients 8
      speculate bench serve --url http://127.0.0.1:8080 --url http://127.0.0.1:8081 \
      --prompt-file prompts.jsonl --rate 2 --requests 100 --json
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
  @Option("Requests in all. (default: one a prompt)", value: "n") var requests: Int?
  @Option("Tokens of an answer at most.", value: "n") var maxTokens = 128
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
  @Option("Seconds to the first token for an answer to count as goodput.", value: "s")
  var goalFirst = 1.0
  @Option("Seconds of each token after it for an answer to count as goodput.", value: "s")
  var goalToken = 0.1
  @Flag(help: "Print one JSON object a server instead of text.") var json = false

  func validate() throws {
    try OptionCheck.range("--clients", clients, 1...1024)
    try OptionCheck.aboveZero("--rate", rate)
    try OptionCheck.atLeast(1, ("--requests", requests), ("--max-tokens", maxTokens))
    try OptionCheck.range("--temperature", temperature, 0...100)
    for (option, value) in [
      ("--timeout", timeout), ("--goal-first", goalFirst), ("--goal-token", goalToken),
    ] {
      try OptionCheck.aboveZero(option, value)
      try OptionCheck.range(option, value, 0...1e6)
    }
    if clients != nil && rate != nil {
      throw ValidationError("--clients and --rate are two ways to put a load: give one of them")
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
      let run = LoadRun(
        target: target,
        requests: try prompts.map {
          try LoadRequest($0, isChat: chat, model: name, settings: settings)
        }, pace: rate.map(LoadRun.Pace.rate) ?? .clients(clients ?? 8),
        count: requests ?? prompts.count, timeout: timeout, seed: seed)
      let (samples, seconds) = run.run()
      let report = LoadReport(
        target, model: name, samples, seconds: seconds,
        goal: .init(firstToken: goalFirst, perToken: goalToken))
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

  /// Members of every request's body.
  private var settings: [(String, String)] {
    [
      ("max_tokens", "\(maxTokens)"), ("temperature", "\(temperature)"),
      ("seed", "\(Int64(bitPattern: seed))"),
    ] + (ignoreEnd ? [("ignore_eos", "true")] : [])
  }
}
