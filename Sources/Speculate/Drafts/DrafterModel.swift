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
  case causal(CausalModel, passes: Int? = nil)

  /// Loads a folder: a block drafter's, or an ordinary causal model's.
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
    guard try Self.isCausal(directory) else {
      guard passes == nil else {
        throw SpeculateError(
          "\(directory.path) holds a block drafter, which takes one pass a round: leave out "
            + "‘drafter passes’")
      }
      self = .block(try BlockDrafter(directory: directory, format: format))
      return
    }
    try Self.check(tokenizer, of: directory)
    let stored = try CausalModel.storedFormats(directory: directory)
    let usual = stored.isQuantized || stored.layers == .f32 ? nil : WeightFormat.int8
    self = .causal(
      try CausalModel(
        directory: directory, weights: WeightFormatChoice(layers: format ?? usual)),
      passes: passes)
  }

  /// Drafts of a round that a drafter's folder can make, at most.
  ///
  /// - Throws: ``SpeculateError`` if its configuration can't be read.
  package static func maximumDrafts(directory: URL) throws -> Int {
    try isCausal(directory)
      ? CausalDraftSource.longestDraft : DrafterConfiguration(directory: directory).blockSize - 1
  }

  package var maximumDrafts: Int {
    switch self {
    case .block(let drafter): drafter.configuration.blockSize - 1
    case .causal: CausalDraftSource.longestDraft
    }
  }

  /// The target layers that it wants the outputs of.
  package var taps: [Int] {
    switch self {
    case .block(let drafter): drafter.configuration.targetLayers
    case .causal: []
    }
  }

  /// Whether a block drafter's folder was made for a target's, as far as their configurations say.
  package static func fits(_ drafter: URL, target: URL) -> Bool {
    do {
      guard try !isCausal(drafter) else { return false }
      try BlockDraftSource.checkFit(
        DrafterConfiguration(directory: drafter), target: ModelConfiguration(directory: target))
      return true
    } catch {
      return false
    }
  }

  /// Checks that it can draft for a target.
  ///
  /// - Throws: ``SpeculateError`` naming what differs.
  package func checkFit(_ target: ModelConfiguration) throws {
    switch self {
    case .block(let drafter):
      try BlockDraftSource.checkFit(drafter.configuration, target: target)
    case .causal(let model, _):
      let (own, other) = (model.configuration.vocabularySize, target.vocabularySize)
      guard own == other else {
        throw SpeculateError(
          "the drafter has a vocabulary of \(own), but this target has \(other): use a drafter with "
            + "the target's vocabulary, or none")
      }
    }
  }

  /// Makes the run state that drafts for one sequence at a time of a target, as ``makeSources``.
  package func makeSource(
    target: CausalModel, workers: Workers, capacity: Int
  ) throws -> any DraftSource {
    try makeSources(1, target: target, workers: workers, capacity: capacity)[0]
  }

  /// Makes the run states that draft for several sequences of a target, in passes that they share.
  ///
  /// - Parameters:
  ///   - count: how many sequences, at least one.
  ///   - workers: the threads, shared with the target's runner.
  ///   - capacity: the most committed positions of each.
  /// - Throws: ``SpeculateError`` if it doesn't fit the target.
  package func makeSources(
    _ count: Int, target: CausalModel, workers: Workers, capacity: Int
  ) throws -> [any DraftSource] {
    try checkFit(target.configuration)
    switch self {
    case .block(let drafter):
      let passes = try BlockDraftPasses(
        drafter: drafter, target: target, workers: workers, maximumBlocks: count)
      return try (0..<count).map { _ in try BlockDraftSource(sharing: passes, capacity: capacity) }
    case .causal(let model, let limit):
      let passes = CausalDraftPasses(drafter: model, workers: workers, maximumSequences: count)
      return try (0..<count).map { _ in
        try CausalDraftSource(sharing: passes, capacity: capacity, passes: limit)
      }
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

  /// Compares the tokenizer of a folder, if it holds one, with the target's.
  private static func check(_ tokenizer: any Tokenizer, of directory: URL) throws {
    guard
      GGUFFile.isMeant(by: directory)
        || ["tokenizer.json", "tokenizer.model", "vocab.json"].contains(where: {
          FileManager.default.fileExists(atPath: directory.appending(path: $0).path)
        })
    else { return }
    let own = try TokenizerLoader.load(directory: directory)
    let count = max(own.vocabularySize, tokenizer.vocabularySize)
    if let id = (0..<Token(count)).first(where: { own.piece(of: $0) != tokenizer.piece(of: $0) }) {
      throw SpeculateError(
        "the tokenizer in \(directory.path) differs from the target's at token \(id): use a drafter "
          + "with the target's tokenizer, or none")
    }
  }
}
