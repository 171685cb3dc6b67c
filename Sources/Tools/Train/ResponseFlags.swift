import ArgumentParser
import Speculate
import Training

/// What the target answers.
struct ResponseFlags: ParsableArguments {
  @Option("Responses to make.") var responses = 4000
  @Option("Tokens of the shortest prompt.") var shortestPrompt = 16
  @Option("Tokens of the longest prompt. (default: 128, or 384 with --prompts self)")
  var longestPrompt: Int?
  @Option("Tokens of a response at most. (default: 160, or 256 with --prompts self)")
  var responseLength: Int?
  @Option("Responses made at a time.") var responseBatch = 32
  @Option(
    """
    What drafts while the target answers, for speed; responses are the same: the folder of a drafter \
    made for the target, 'suffix' for matches in the text so far, or 'none'.
    """, value: "dir|suffix|none")
  var answerDrafter = DrafterChoice.none
  @Option(
    """
    0 for greedy responses. (default: 0, or 0.8 for a --sampled-share of 0.25 with 'distill' and \
    --prompts self)
    """)
  var temperature: Float?
  @Option(
    "The share of responses that are sampled at --temperature; the others are greedy. (default: 1)")
  var sampledShare: Float?

  func validate() throws {
    try OptionCheck.atLeast(
      1, ("--responses", responses), ("--shortest-prompt", shortestPrompt),
      ("--response-length", responseLength))
    try OptionCheck.range("--response-batch", responseBatch, 1...1024)
    if let longestPrompt { _ = try lengths(to: longestPrompt) }
    if let temperature, temperature != 0 && !(0.01...100).contains(temperature) {
      throw ValidationError("--temperature is \(temperature): give 0, or 0.01 to 100")
    }
    if let sampledShare {
      if temperature ?? 0 == 0 {
        throw ValidationError(
          "--sampled-share means nothing for greedy responses: give a --temperature, or leave it out"
        )
      }
      if !(sampledShare > 0 && sampledShare <= 1) {
        throw ValidationError(
          "--sampled-share is \(sampledShare): give more than 0 and at most 1, or --temperature 0")
      }
    }
  }

  private static let usual = (longestPrompt: 128, responseLength: 160)
  private static let usualOfChats = (longestPrompt: 384, responseLength: 256)

  /// Tokens of a prompt.
  ///
  /// - Throws: `ValidationError` if there can't be any.
  func promptLengths(_ sources: [ResponseOptions.Source]) throws -> ClosedRange<Int> {
    try lengths(to: longestPrompt ?? usual(sources).longestPrompt)
  }

  private func lengths(to longest: Int) throws -> ClosedRange<Int> {
    guard (shortestPrompt...max(shortestPrompt, 1 << 20)).contains(longest) else {
      throw ValidationError(
        "--longest-prompt is \(longest): give \(shortestPrompt) (--shortest-prompt) or more")
    }
    return shortestPrompt...longest
  }

  private func usual(
    _ sources: [ResponseOptions.Source]
  ) -> (longestPrompt: Int, responseLength: Int) {
    sources.contains(where: \.data.isWritten) ? Self.usualOfChats : Self.usual
  }

  func checkGreedy() throws {
    if let temperature, temperature != 0 {
      throw ValidationError(
        "--temperature is \(temperature), but only greedy answers are fixed points of the "
          + "iteration: leave it out")
    }
  }

  /// - Throws: `SpeculateError` if the drafter's folder doesn't exist.
  func options(_ sources: [ResponseOptions.Source], seed: UInt64) throws -> ResponseOptions {
    var options = ResponseOptions(sources: sources)
    options.count = responses
    options.promptLengths = try promptLengths(sources)
    options.length = responseLength ?? usual(sources).responseLength
    options.batch = responseBatch
    options.drafting =
      switch answerDrafter {
      case .none: .none
      case .suffix: .suffix
      case .folder(let path): .drafter(try ModelFolder.url(path, option: "--answer-drafter"))
      }
    options.costCache = .user()
    options.temperature = temperature ?? 0
    options.sampledShare = sampledShare ?? 1
    options.seed = seed
    return options
  }

  /// The same, but a share of the answers to prompts that the target wrote is sampled unless the flags say
  /// something of it.
  func distillOptions(
    _ sources: [ResponseOptions.Source], seed: UInt64
  ) throws -> ResponseOptions {
    var options = try options(sources, seed: seed)
    if temperature == nil, sources.contains(where: \.data.isWritten) {
      (options.temperature, options.sampledShare) = (0.8, 0.25)
    }
    return options
  }
}
