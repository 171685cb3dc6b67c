import ArgumentParser
import Foundation
import Speculate
import Training

/// The file that prompts come from.
struct PromptDataFlags: ParsableArguments {
  @Option(
    """
    Documents to cut prompts from: text, or JSON lines with a field "text", plain or .zst. Lines \
    with a field "prompt" instead are answered as they stand, and those with "messages" or "turns" \
    as chats, by the target's chat template; chats longer than --longest-prompt are left out.
    """)
  var data: String?
  @Option("Instead of --data: a file of little-endian 16-bit tokens.")
  var tokens: String?
  @OptionGroup var template: ChatTemplateFlags

  var file: ResponseOptions.Data? { Self.file(data, tokens) }

  /// A file of text, or else one of tokens.
  static func file(_ text: String?, _ tokens: String?) -> ResponseOptions.Data? {
    text.map { .text(URL(fileURLWithPath: $0)) } ?? tokens.map { .tokens(URL(fileURLWithPath: $0)) }
  }

  /// The file.
  ///
  /// - Throws: `ValidationError` where none is given.
  func required() throws -> ResponseOptions.Data {
    guard let file else {
      throw ValidationError("give the documents of the prompts: either --data or --tokens")
    }
    return file
  }

  func validate() throws {
    if data != nil && tokens != nil {
      throw ValidationError("give the documents of the prompts: either --data or --tokens")
    }
  }
}

/// What the target answers.
struct ResponseFlags: ParsableArguments {
  @Option("Responses to make.") var responses = 4000
  @Option("Tokens of the shortest prompt.") var shortestPrompt = 16
  @Option("Tokens of the longest prompt.") var longestPrompt = 128
  @Option("Tokens of a response at most.") var responseLength = 160
  @Option("Responses made at a time.") var responseBatch = 32
  @Option(
    """
    What drafts while the target answers, for speed; responses are the same: the folder of a drafter \
    made for the target, 'suffix' for matches in the text so far, or 'none'.
    """, value: "dir|suffix|none")
  var answerDrafter = DrafterChoice.none
  @Option("0 for greedy responses.") var temperature: Float = 0

  func validate() throws {
    try OptionCheck.atLeast(
      1, ("--responses", responses), ("--shortest-prompt", shortestPrompt),
      ("--response-length", responseLength))
    try OptionCheck.range("--response-batch", responseBatch, 1...1024)
    if longestPrompt < shortestPrompt || longestPrompt > 1 << 20 {
      throw ValidationError(
        "--longest-prompt is \(longestPrompt): give \(shortestPrompt) (--shortest-prompt) or more")
    }
    if temperature != 0 && !(0.01...100).contains(temperature) {
      throw ValidationError("--temperature is \(temperature): give 0, or 0.01 to 100")
    }
  }

  func checkGreedy() throws {
    if temperature != 0 {
      throw ValidationError(
        "--temperature is \(temperature), but only greedy answers are fixed points of the "
          + "iteration: leave it out")
    }
  }

  /// - Throws: `SpeculateError` if the drafter's folder doesn't exist.
  func options(_ data: ResponseOptions.Data, seed: UInt64) throws -> ResponseOptions {
    var options = ResponseOptions(data: data)
    options.count = responses
    options.promptLengths = shortestPrompt...longestPrompt
    options.length = responseLength
    options.batch = responseBatch
    options.drafting =
      switch answerDrafter {
      case .none: .none
      case .suffix: .suffix
      case .folder(let path): .drafter(try ModelFolder.url(path, option: "--answer-drafter"))
      }
    options.costCache = .user()
    options.temperature = temperature
    options.seed = seed
    return options
  }
}

/// What is stored beside responses.
struct StoredFeatureFlags: ParsableArguments {
  @Option(
    """
    Layers of the target whose outputs are stored for every token, 0-based, so that trainings with \
    these --target-layers read them instead of running the target: 4 bytes a layer and unit of the \
    target's width.
    """, value: "i,j,…")
  var storeTaps: String?
  @Option(
    """
    How many of the target's most probable tokens are stored behind every token, with their \
    log-probabilities at temperature 1: 8 bytes each. Training doesn't read them.
    """, value: "k")
  var storeLogProbabilities: Int?

  var choice: FeatureChoice? {
    get throws {
      guard storeTaps != nil || storeLogProbabilities != nil else { return nil }
      let layers = try storeTaps.map { try OptionCheck.layers($0, of: "--store-taps") } ?? []
      let sorted = Set(layers).sorted()
      if sorted.count < layers.count {
        throw ValidationError("--store-taps is \(storeTaps ?? ""): name each layer once")
      }
      return FeatureChoice(layers: sorted, logProbabilities: storeLogProbabilities ?? 0)
    }
  }

  func validate() throws {
    try OptionCheck.range("--store-log-probabilities", storeLogProbabilities, 1...4096)
    _ = try choice
  }
}
