import ArgumentParser
import Foundation
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
  func options(_ data: ResponseOptions.Data, seed: UInt64) -> ResponseOptions {
    var options = ResponseOptions(data: data)
    options.count = responses
    options.promptLengths = shortestPrompt...longestPrompt
    options.length = responseLength
    options.batch = responseBatch
    options.temperature = temperature
    options.seed = seed
    return options
  }
}
