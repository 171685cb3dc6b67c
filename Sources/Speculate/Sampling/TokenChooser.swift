package import Files
import Tensors

/// Chooses tokens from rows of logits: greedy, or Gumbel-max under position-keyed noise.
///
/// One chooser belongs to one sequence (it keeps scratch space). Two choosers with the same
/// parameters choose the same tokens from the same rows, in whatever order they see them.
package struct TokenChooser: Sendable {
  package let parameters: SamplingParameters
  private var noise: KeyedNoise
  private var processor: LogitProcessor

  package init(_ parameters: SamplingParameters) {
    self.parameters = parameters
    noise = KeyedNoise(seed: parameters.seed)
    processor = LogitProcessor(parameters)
  }

  /// Chooses the token at `position` from its row, which is processed in place.
  ///
  /// - Parameters:
  ///   - row: raw logits: [count]; processed logits afterwards, untouched where nothing applies.
  ///   - count: columns.
  ///   - position: the absolute position of the token that is chosen (one after the row's own).
  ///   - context: the tokens at and before the row.
  ///   - drafts: tokens before the row that `context` doesn't know of: distinct, and none of it.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  /// - Returns: the chosen column; `nil` if a logit is NaN or infinite, as damaged weights make them.
  package mutating func column(
    _ row: UnsafeMutablePointer<Float>, count: Int, position: Int, context: TokenPresence,
    drafts: [Token] = [], map: VocabularyMap? = nil
  ) -> Int? {
    if parameters.isArgmax {
      return Kernels.finiteArgmax(row, count: count)
    }
    guard
      processor.process(
        UnsafeMutableBufferPointer(start: row, count: count), context: context, drafts: drafts,
        map: map)
    else { return nil }
    if parameters.isGreedy { return Kernels.finiteArgmax(row, count: count) }
    return Argmax.gumbelIndex(row, count: count, noise: noise.stream(position: position), map: map)
  }

  /// Draws with other numbers from now on.
  mutating func key(_ seed: UInt64) { noise = KeyedNoise(seed: seed) }

  /// Turns a row into the logits of what tokens are drawn from.
  ///
  /// - Returns: whether they may be drawn from: `false` if a logit is NaN or infinite.
  mutating func process(
    _ row: UnsafeMutablePointer<Float>, count: Int, context: TokenPresence, drafts: [Token]
  ) -> Bool {
    processor.process(
      UnsafeMutableBufferPointer(start: row, count: count), context: context, drafts: drafts)
  }

  /// What would have been chosen next of a row that ``column(_:count:position:context:drafts:map:)`` left.
  ///
  /// - Parameters: as there; `winner` is what it returned.
  ///   - limit: how many.
  ///   - depth: how far behind the winner's logit, noise included, they may be.
  ///   - found: is replaced by them and by how far they are behind, in the memory that it has.
  func runnersUp(
    _ row: UnsafePointer<Float>, count: Int, winner: Int, position: Int, map: VocabularyMap?,
    limit: Int, depth: Double, into found: inout [(column: Int, distance: Double)]
  ) {
    Argmax.runnersUp(
      row, count: count, winner: winner,
      noise: parameters.isGreedy ? nil : noise.stream(position: position), map: map, limit: limit,
      depth: depth, into: &found)
  }
}
