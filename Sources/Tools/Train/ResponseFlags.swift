import ArgumentParser
import Foundation
import Speculate
import Training

/// The file that prompts come from.
struct PromptDataFlags: ParsableArguments {
  @Option(
    help: """
      Documents to cut prompts from: text, or JSON lines with a field "text", plain or .zst. Lines \
      with a field "prompt" instead are answered as they stand, and those with "messages" or "turns" \
      as chats, by the target's chat template; chats longer than --longest-prompt are left out.
      """)
  var data: String?
  @Option(help: "Instead of --data: a file of little-endian 16-bit tokens.")
  var tokens: String?

  /// The file, if one is given.
  var file: ResponseOptions.Data? { Self.file(data, tokens) }

  /// A file of text, or else one of tokens.
  static func file(_ text: String?, _ tokens: String?) -> ResponseOptions.Data? {
    text.map { .text(URL(fileURLWithPath: $0)) } ?? tokens.map { .tokens(URL(fileURLWithPath: $0)) }
  }

  /// Says which flag can't be, if any.
  func check() throws {
    if data != nil && tokens != nil {
      throw ValidationError("give the documents of the prompts: either --data or --tokens")
    }
  }
}

/// What the target answers.
struct ResponseFlags: ParsableArguments {
  @Option(help: "Responses to make.") var responses = 4000
  @Option(help: "Tokens of the shortest prompt.") var shortestPrompt = 16
  @Option(help: "Tokens of the longest prompt.") var longestPrompt = 128
  @Option(help: "Tokens of a response at most.") var responseLength = 160
  @Option(help: "Responses made at a time.") var responseBatch = 32
  @Option(
    help: ArgumentHelp(
      "What drafts while the target answers, for speed; responses are the same: the folder of a drafter "
        + "made for the target, 'suffix' for matches in the text so far, or 'none'.",
      valueName: "dir|suffix|none"))
  var answerDrafter = DrafterChoice.none
  @Option(help: "0 for greedy responses.") var temperature: Float = 0

  /// Says which flag can't be, if any.
  func check() throws {
    try FlagCheck.positive([
      ("--responses", responses), ("--shortest-prompt", shortestPrompt),
      ("--response-length", responseLength), ("--response-batch", responseBatch),
    ])
    if responseBatch > 1024 {
      throw ValidationError("--response-batch is \(responseBatch): give at most 1024")
    }
    if longestPrompt < shortestPrompt || longestPrompt > 1 << 20 {
      throw ValidationError(
        "--longest-prompt is \(longestPrompt): give \(shortestPrompt) (--shortest-prompt) or more")
    }
    if temperature != 0 && !(0.01...100).contains(temperature) {
      throw ValidationError("--temperature is \(temperature): give 0, or 0.01 to 100")
    }
  }

  /// What they ask for.
  ///
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
    help: ArgumentHelp(
      """
      Layers of the target whose outputs are stored for every token, 0-based, so that trainings with \
      these --target-layers read them instead of running the target: 4 bytes a layer and unit of the \
      target's width.
      """, valueName: "i,j,…"))
  var storeTaps: String?
  @Option(
    help: ArgumentHelp(
      """
      How many of the target's most probable tokens are stored behind every token, with their \
      log-probabilities at temperature 1: 8 bytes each. Training doesn't read them.
      """, valueName: "k"))
  var storeLogProbabilities: Int?

  /// What is wanted; nil for nothing.
  var choice: FeatureChoice? {
    get throws {
      guard storeTaps != nil || storeLogProbabilities != nil else { return nil }
      let layers = try storeTaps.map { try FlagCheck.layers($0, of: "--store-taps") } ?? []
      let sorted = Set(layers).sorted()
      if sorted.count < layers.count {
        throw ValidationError("--store-taps is \(storeTaps ?? ""): name each layer once")
      }
      return FeatureChoice(layers: sorted, logProbabilities: storeLogProbabilities ?? 0)
    }
  }

  /// Says which flag can't be, if any.
  func check() throws {
    if let storeLogProbabilities, !(1...4096).contains(storeLogProbabilities) {
      throw ValidationError(
        "--store-log-probabilities is \(storeLogProbabilities): give 1 to 4096")
    }
    _ = try choice
  }
}
