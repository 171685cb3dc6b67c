import Files
import Foundation
import Speculate
import Text
import Verifier

extension ResponseRecipe {
  /// Prompts, and what the answers to them depend on.
  struct Plan: ResponseTasks {
    var options: ResponseOptions
    var prompts: PromptMix
    var settings: ResponseSettings
    /// The tokens after which an answer is over.
    var endTokens: [Token]

    var longestPrompt: Int { settings.longestPrompt }
    var responseLength: Int { settings.responseLength }

    func task(_ number: Int) throws -> ResponseTask {
      let prompt = try prompts.prompt(number)
      return ResponseTask(
        prompt: prompt.tokens, document: prompt.document, sampling: settings.sampling(number))
    }
  }

  /// Reads the prompts, as far as they come from files.
  ///
  /// - Throws: `SpeculateError` when the prompts can't be read or written, answers don't fit the target's
  ///   context, or a folder was begun with others.
  func plan(_ options: ResponseOptions, folder: URL) throws -> Plan {
    try check(options)
    var settings = ResponseSettings(
      target: try fingerprint(), data: 0, seed: options.seed,
      shortestPrompt: options.promptLengths.lowerBound,
      longestPrompt: options.promptLengths.upperBound, responseLength: options.length,
      temperature: options.temperature)
    if options.sampledShare < 1 { settings.sampledShare = options.sampledShare }
    if options.sources.count > 1 { settings.weights = options.sources.map(\.weight) }
    let sources = try options.sources.map { source in
      (try self.source(source.data, options, &settings), source.weight)
    }
    let prompts = PromptMix(sources, count: options.count)
    let plan = Plan(
      options: options, prompts: prompts, settings: settings,
      endTokens: tokenizer.endTokens(
        of: target.configuration.endTokens, inChat: prompts.holdsChats))
    try ResponseStore.check(folder, settings)
    if let written = prompts.written {
      try WrittenPromptStore.check(Self.promptFolder(in: folder), written.writing.settings)
    }
    return plan
  }

  /// The folder of the prompts that the target writes, in one of responses.
  static func promptFolder(in folder: URL) -> URL { folder.appendingPathComponent("prompts") }

  /// Opens a source, and notes what prompts depend on.
  private func source(
    _ data: ResponseOptions.Data, _ options: ResponseOptions, _ settings: inout ResponseSettings
  ) throws -> PromptMix.Source {
    func note(_ print: UInt64) {
      // The first one as it is.
      settings.data = settings.data == 0 ? print : settings.data &* 31 &+ print
    }
    switch data {
    case .text(let url):
      let source = try PromptSource(
        documents: url, encoder: encoder, lengths: options.promptLengths, seed: options.seed)
      // What chats become depends on the template too.
      let print = try print(of: url)
      note(source.chatFingerprint.map { print &* 31 &+ $0 } ?? print)
      return .file(source)
    case .tokens(let url):
      let source = try PromptSource(
        tokens: try TokenStream(
          contentsOf: url, vocabularySize: target.configuration.vocabularySize),
        endTokens: Set(
          tokenizer.endTokens(of: target.configuration.endTokens, inChat: false)),
        lineEnd: tokenizer.id(of: "\n"),
        lengths: options.promptLengths, seed: options.seed)
      note(try print(of: url))
      return .file(source)
    case .written(let wanted):
      let written = try written(wanted, options)
      settings.written = written.writing.settings
      settings.cleaning =
        written.excluded.map {
          "\(PromptCleaner.version), \(OutputClaim.Job.fingerprint($0.fingerprint))"
        } ?? "\(PromptCleaner.version)"
      return .written(written)
    }
  }

  private func print(of url: URL) throws -> UInt64 {
    let print = try FileFingerprint.of(url)
    return encoder.parsesSpecial ? print : print &* 31 &+ 1
  }

  private func written(
    _ wanted: PromptWritingOptions, _ options: ResponseOptions
  ) throws -> WrittenPrompts {
    let turns = try wanted.systems.map {
      try encoder.userTurn(system: $0.isEmpty ? nil : $0, now: ChatEncoder.fixedTime)
    }
    guard turns.allSatisfy({ $0.end == turns[0].end }) else {
      throw SpeculateError(
        "the chat template ends a user's message in other ways after other system messages: give one "
          + "‘prompt system’")
    }
    let needed = turns.reduce(0) { max($0, $1.opening.count) } + wanted.length
    guard needed <= target.configuration.evenContext else {
      throw SpeculateError(
        "prompts of \(needed) tokens don't fit the target's context of "
          + "\(target.configuration.evenContext): give a smaller ‘prompt length’")
    }
    let settings = PromptWritingSettings(
      target: try fingerprint(), turn: turns.reduce(0) { $0 &* 31 &+ $1.fingerprint },
      seed: options.seed,
      temperature: wanted.temperature, topP: wanted.topP, length: wanted.length)
    let writing = PromptWriting(
      turns: turns, settings: settings, tokenizer: tokenizer,
      endTokens: tokenizer.endTokens(of: target.configuration.endTokens, inChat: true))
    return WrittenPrompts(
      writing, encoder: encoder, longest: options.promptLengths.upperBound,
      excluded: wanted.excluded.isEmpty ? nil : try ExcludedPrompts(wanted.excluded))
  }

  private func check(_ options: ResponseOptions) throws {
    let longest = options.promptLengths.upperBound + options.length
    // Features are computed of answers that end anywhere.
    guard longest <= target.configuration.evenContext else {
      throw SpeculateError(
        "prompts and responses of \(longest) tokens don't fit the target's context of "
          + "\(target.configuration.evenContext): give a smaller ‘response length’, "
          + "‘evaluation length’ or ‘longest prompt’")
    }
  }
}

extension UserTurn {
  /// What tells turns apart.
  fileprivate var fingerprint: UInt64 {
    var hash = FNV1a()
    for token in opening { hash.add(word: UInt64(UInt32(bitPattern: token))) }
    switch end {
    case .token(let token): hash.add(word: UInt64(UInt32(bitPattern: token)))
    case .text(let text): hash.add(text.utf8)
    case .nothing: break
    }
    hash.fold(by: 29)
    return hash.value
  }
}
