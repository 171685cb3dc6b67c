import ArgumentParser
import Foundation
import Training

/// Where prompts come from.
struct PromptDataFlags: ParsableArguments {
  @Option(
    """
    Documents to cut prompts from: text, or JSON lines with a field "text", plain or .zst. Lines \
    with a field "prompt" instead are answered as they stand, and those with "messages" or "turns" \
    as chats, by the target's chat template; chats longer than --longest-prompt are left out. \
    Several are mixed by their weights, 1 or what follows a colon.
    """, value: "file[:weight]")
  var data: [String] = []
  @Option("Instead of --data: a file of little-endian 16-bit tokens.")
  var tokens: String?
  @Option(
    """
    'self' for prompts that the target writes in the user's place of its chat template, instead of \
    --data or, with weights, beside it.
    """, value: "self[:weight]")
  var prompts: String?
  @OptionGroup(title: "Prompts that the target writes") var writing: PromptWritingFlags
  @OptionGroup var template: ChatTemplateFlags

  /// The sources, none if none is given.
  ///
  /// - Throws: `ValidationError` for what can't be a source.
  var sources: [ResponseOptions.Source] {
    get throws {
      var sources = try data.map { value in
        let (path, weight) = try Self.weighted(value, "--data", isFile: true)
        return ResponseOptions.Source(.text(URL(fileURLWithPath: path)), weight: weight)
      }
      if let tokens { sources.append(.init(.tokens(URL(fileURLWithPath: tokens)))) }
      if let prompts {
        let (name, weight) = try Self.weighted(prompts, "--prompts", isFile: false)
        guard name == "self" else {
          throw ValidationError(
            "--prompts is \(prompts): give 'self', or --data with a file of prompts")
        }
        sources.insert(.init(.written(writing.options), weight: weight), at: 0)
      }
      return sources
    }
  }

  /// Whether the target writes prompts itself.
  var areWritten: Bool { prompts != nil }

  static let missing =
    "give the documents of the prompts: either --data or --tokens; or --prompts self"

  /// The sources.
  ///
  /// - Throws: `ValidationError` where none is given.
  func required() throws -> [ResponseOptions.Source] {
    let sources = try sources
    guard !sources.isEmpty else { throw ValidationError(Self.missing) }
    return sources
  }

  /// A name and the weight behind its last colon.
  private static func weighted(
    _ value: String, _ option: String, isFile: Bool
  ) throws -> (name: String, weight: Double) {
    guard let colon = value.lastIndex(of: ":"),
      let weight = Double(value[value.index(after: colon)...]),
      !(isFile && FileManager.default.fileExists(atPath: value))
    else { return (value, 1) }
    guard weight > 0, weight.isFinite else {
      throw ValidationError("\(option) is \(value): give a weight above 0")
    }
    return (String(value[..<colon]), weight)
  }

  func validate() throws {
    if !data.isEmpty && tokens != nil { throw ValidationError(Self.missing) }
    _ = try sources
    if !areWritten, let flag = writing.given {
      throw ValidationError("\(flag) belongs to --prompts self: give it too")
    }
  }
}

/// How the target writes prompts.
struct PromptWritingFlags: ParsableArguments {
  @Option("Temperature of the prompts that --prompts self writes. (default: 0.9)")
  var promptTemperature: Float?
  @Option("Share of the most probable tokens' mass that those are drawn from. (default: 0.95)")
  var promptTopP: Float?
  @Option(
    "Tokens of such a prompt at most; one that doesn't end by then is dropped. (default: 192)")
  var promptLength: Int?
  @Option(
    """
    A system message before which such a prompt is written, to steer what it is about; several take \
    turns, and 'own' stands for what the template says by itself. Answers don't see it.
    """, value: "text …")
  var promptSystem: [String] = []
  @Option(
    """
    Files of prompts, as --data, that no such prompt may come near: none has 13 words in a row of \
    theirs.
    """, value: "file …")
  var exclude: [String] = []

  /// The first of the flags that is given.
  var given: String? {
    let flags = [
      ("--prompt-temperature", promptTemperature != nil), ("--prompt-top-p", promptTopP != nil),
      ("--prompt-length", promptLength != nil), ("--prompt-system", !promptSystem.isEmpty),
      ("--exclude", !exclude.isEmpty),
    ]
    return flags.first { $0.1 }?.0
  }

  var options: PromptWritingOptions {
    var options = PromptWritingOptions()
    if let promptTemperature { options.temperature = promptTemperature }
    if let promptTopP { options.topP = promptTopP }
    if let promptLength { options.length = promptLength }
    if !promptSystem.isEmpty {
      options.systems = promptSystem.map { $0 == "own" ? "" : $0 }
    }
    options.excluded = exclude.map { URL(fileURLWithPath: $0) }
    return options
  }

  func validate() throws {
    try OptionCheck.range("--prompt-temperature", promptTemperature, 0.01...100)
    if let promptTopP, !(promptTopP > 0 && promptTopP <= 1) {
      throw ValidationError("--prompt-top-p is \(promptTopP): give more than 0 and at most 1")
    }
    try OptionCheck.range("--prompt-length", promptLength, 8...4096)
  }
}
