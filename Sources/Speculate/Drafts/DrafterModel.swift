package import Drafter
import Files
import Foundation
package import Tensors
package import Text
package import Verifier

/// A model that drafts for a target.
package enum DrafterModel: Sendable {
  /// A block-diffusion drafter that was made for the target.
  case block(BlockDrafter)
  /// A causal model with the target's vocabulary.
  ///
  /// - `passes`: its passes of a round; `nil` for one a draft.
  /// - `tokensAgree`: whether its tokenizer was compared with the target's, so that vocabularies may differ in
  ///   rows without a token.
  case causal(CausalModel, passes: Int? = nil, tokensAgree: Bool = false)
  /// What the target wrote earlier.
  case answers(AnswerTable)

  /// Loads a folder: a block drafter's, an ordinary causal model's, or a table of answers.
  ///
  /// - Parameters:
  ///   - format: how the matrices are held; `nil` is f32 for files in f32, the integer format of a
  ///     converted model, and int8 for others. What is proposed is checked anyway.
  ///   - passes: passes of a causal model in a round; `nil` for one a draft.
  ///   - tokenizer: the target's. Where the folder holds one too, they must agree.
  /// - Throws: ``SpeculateError`` if a file is missing or damaged, or the tokenizers differ.
  package init(
    directory: URL, format: WeightFormat? = nil, passes: Int? = nil, tokenizer: any Tokenizer
  ) throws {
    if let passes, passes < 1 {
      throw SpeculateError("drafter passes \(passes) is out of range: use 1 or more")
    }
    if try AnswerTable.isMeant(by: directory) {
      for (setting, isGiven) in [
        ("drafter passes", passes != nil), ("drafter weights", format != nil),
      ]
      where isGiven {
        throw SpeculateError(
          "\(directory.path) holds a table of answers, which computes nothing: leave out ‘\(setting)’"
        )
      }
      let table = try AnswerTable(directory: directory)
      try Self.checkTable(table.tokenizer, of: directory, tokenizer)
      self = .answers(table)
      return
    }
    guard try Self.isCausal(directory) else {
      guard passes == nil else {
        throw SpeculateError(
          "\(directory.path) holds a block drafter, which takes one pass a round: leave out "
            + "‘drafter passes’")
      }
      self = .block(try BlockDrafter(directory: directory, format: format))
      return
    }
    let agrees = try Self.check(tokenizer, of: directory)
    let stored = try CausalModel.storedFormats(directory: directory)
    let usual = stored.isQuantized || stored.layers == .f32 ? nil : WeightFormat.int8
    self = .causal(
      try CausalModel(
        directory: directory, weights: WeightFormatChoice(layers: format ?? usual)),
      passes: passes, tokensAgree: agrees)
  }

  /// Drafts of a round that a drafter's folder can make, at most.
  ///
  /// - Throws: ``SpeculateError`` if its configuration can't be read.
  package static func maximumDrafts(directory: URL) throws -> Int {
    if try AnswerTable.isMeant(by: directory) { return AnswerDraftSource.longestDraft }
    return try isCausal(directory)
      ? CausalDraftSource.longestDraft : DrafterConfiguration(directory: directory).maximumDrafts
  }

  package var maximumDrafts: Int {
    switch self {
    case .block(let drafter): drafter.configuration.maximumDrafts
    case .causal: CausalDraftSource.longestDraft
    case .answers: AnswerDraftSource.longestDraft
    }
  }

  /// The target layers that it wants the outputs of.
  package var taps: [Int] {
    switch self {
    case .block(let drafter): drafter.configuration.targetLayers
    case .causal, .answers: []
    }
  }

  /// Whether a block drafter's folder was made for a target's, as far as their configurations say.
  package static func fits(_ drafter: URL, target: URL) -> Bool {
    do {
      guard try !isCausal(drafter) else { return false }
      try checkFit(drafter, target: target)
      return true
    } catch {
      return false
    }
  }

  /// Checks that a block drafter's folder was made for a target's, as far as their configurations say.
  ///
  /// - Throws: ``SpeculateError`` saying in what they differ.
  package static func checkFit(_ drafter: URL, target: URL) throws {
    if try AnswerTable.isMeant(by: drafter) {
      try checkTable(
        AnswerTable.vocabularySize(of: drafter), ModelConfiguration(directory: target))
      try checkTable(
        AnswerTable.tokenizer(of: drafter), of: drafter, TokenizerLoader.load(directory: target))
      return
    }
    try BlockDraftSource.checkFit(
      DrafterConfiguration(directory: drafter), target: ModelConfiguration(directory: target))
  }

  private static func checkTable(_ vocabulary: Int, _ target: ModelConfiguration) throws {
    guard vocabulary == target.vocabularySize else {
      throw SpeculateError(
        "the table of answers is of a target with a vocabulary of \(vocabulary), but this target has "
          + "\(target.vocabularySize): make one of this target's answers")
    }
  }

  private static func checkTable(
    _ fingerprint: UInt64?, of directory: URL, _ tokenizer: @autoclosure () throws -> any Tokenizer
  ) throws {
    guard let fingerprint, try tokenizer().fingerprint != fingerprint else { return }
    throw SpeculateError(
      "\(directory.path) holds a table of a target with another tokenizer: make one of this target's answers"
    )
  }

  /// What loading found that the user should know.
  package var notices: [Notice] {
    switch self {
    case .block(let drafter): drafter.notices
    case .causal(let model, _, _): model.notices.filter { $0 != model.samplingNotice }
    case .answers: []
    }
  }

  /// The folder or file that it was loaded from; nil for random weights.
  package var path: String? {
    switch self {
    case .block(let drafter): drafter.path
    case .causal(let model, _, _): model.path
    case .answers(let table): table.path
    }
  }

  /// Where its configuration stands, for messages.
  var configurationPath: String? {
    path.map { $0.hasSuffix(".gguf") ? $0 : $0 + "/config.json" }
  }

  /// The positions that it was trained for.
  var trainedContext: Int? {
    switch self {
    case .block(let drafter): drafter.configuration.maximumContext
    case .causal(let model, _, _): model.configuration.maximumContext
    case .answers: nil
    }
  }

  /// Checks that it can draft for a target.
  ///
  /// - Parameter tokens: how many tokens the target's tokenizer has. Vocabularies may differ in rows beyond them,
  ///   which models pad theirs with; `nil` for no difference.
  /// - Throws: ``SpeculateError`` naming what differs.
  package func checkFit(_ target: ModelConfiguration, tokens: Int? = nil) throws {
    switch self {
    case .block(let drafter):
      try BlockDraftSource.checkFit(drafter.configuration, target: target, tokens: tokens)
    case .causal(let model, _, let tokensAgree):
      let (own, other) = (model.configuration.vocabularySize, target.vocabularySize)
      guard own == other || tokensAgree && tokens.map({ $0 <= min(own, other) }) ?? false else {
        throw SpeculateError(
          "the drafter has a vocabulary of \(own), but this target has \(other): use a drafter with "
            + "the target's vocabulary, or none")
      }
    case .answers(let table): try Self.checkTable(table.vocabularySize, target)
    }
  }

  /// Makes the run state that drafts for one sequence at a time of a target, as ``makeSources``.
  package func makeSource(
    target: CausalModel, workers: Workers, capacity: Int, tokens: Int? = nil
  ) throws -> any DraftSource {
    try makeSources(1, target: target, workers: workers, capacity: capacity, tokens: tokens)[0]
  }

  /// Makes the run states that draft for several sequences of a target, in passes that they share.
  ///
  /// - Parameters:
  ///   - count: how many sequences, at least one.
  ///   - workers: the threads, shared with the target's runner.
  ///   - capacity: the most committed positions of each.
  ///   - tokens: how many tokens the target's tokenizer has; ids beyond them are never drafted. `nil` for the
  ///     whole vocabulary.
  /// - Throws: ``SpeculateError`` if it doesn't fit the target.
  package func makeSources(
    _ count: Int, target: CausalModel, workers: Workers, capacity: Int, tokens: Int? = nil
  ) throws -> [any DraftSource] {
    let make = try sourceMaker(count, target: target, workers: workers, tokens: tokens)
    return try (0..<count).map { _ in try make(capacity) }
  }

  /// Makes the passes that sources of several sequences share.
  ///
  /// - Parameters: as of ``makeSources(_:target:workers:capacity:tokens:)``; `count` is how many draft at once.
  /// - Returns: makes a source, given the most committed positions of it.
  /// - Throws: ``SpeculateError`` if it doesn't fit the target.
  package func sourceMaker(
    _ count: Int, target: CausalModel, workers: Workers, tokens: Int? = nil
  ) throws -> (_ capacity: Int) throws -> any DraftSource {
    try checkFit(target.configuration, tokens: tokens)
    let vocabulary = target.configuration.vocabularySize
    let drafted = min(tokens ?? vocabulary, vocabulary)
    switch self {
    case .block(let drafter):
      let passes = try BlockDraftPasses(
        drafter: drafter, target: target, workers: workers, maximumBlocks: count, tokens: drafted)
      return { try BlockDraftSource(sharing: passes, capacity: $0) }
    case .causal(let model, let limit, _):
      let passes = CausalDraftPasses(
        drafter: model, workers: workers, maximumSequences: count, tokens: drafted)
      return { try CausalDraftSource(sharing: passes, capacity: $0, passes: limit) }
    case .answers(let table): return { _ in AnswerDraftSource(table) }
    }
  }

  /// Whether a folder's configuration is a causal model's, by its architecture.
  private static func isCausal(_ directory: URL) throws -> Bool {
    if GGUFFile.isMeant(by: directory) {
      return try !DrafterConfiguration.isMeant(by: GGUFFile(url: directory))
    }
    let url = directory.appending(path: "config.json")
    // A block drafter's reader says what is wrong with the rest.
    guard FileManager.default.fileExists(atPath: url.path) else { return false }
    let names = try ConfigurationFile(url: url).texts("architectures") ?? []
    return names.contains(where: FamilyRegistry.standard.has)
  }

  /// Compares the tokenizer of a folder with the target's.
  ///
  /// - Returns: whether it holds one.
  private static func check(_ tokenizer: any Tokenizer, of directory: URL) throws -> Bool {
    guard
      GGUFFile.isMeant(by: directory)
        || ["tokenizer.json", "tekken.json", "tokenizer.model", "vocab.json"].contains(where: {
          FileManager.default.fileExists(atPath: directory.appending(path: $0).path)
        })
    else { return false }
    let own = try TokenizerLoader.load(directory: directory)
    let count = max(own.vocabularySize, tokenizer.vocabularySize)
    if let id = (0..<Token(count)).first(where: { own.piece(of: $0) != tokenizer.piece(of: $0) }) {
      throw SpeculateError(
        "the tokenizer in \(directory.path) differs from the target's at token \(id): use a drafter "
          + "with the target's tokenizer, or none")
    }
    return true
  }
}
