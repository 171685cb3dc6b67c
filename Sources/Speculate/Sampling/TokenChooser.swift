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
  ///   - place: where the text is in the grammar that it is held to. If the row has a token that it
  ///     allows, and that can be told, one of these is chosen.
  /// - Returns: the chosen column; `nil` if a logit is NaN or infinite, as damaged weights make them.
  package mutating func column(
    _ row: UnsafeMutablePointer<Float>, count: Int, position: Int, context: TokenPresence,
    drafts: [Token] = [], map: VocabularyMap? = nil, place: ConstraintPlace? = nil
  ) -> Int? {
    guard let place else {
      return column(row, count, position, context, drafts, map, mask: nil)
    }
    // Filters look at what is left, so that what isn't allowed goes first.
    if parameters.isFiltered {
      return column(row, count, position, context, drafts, map, mask: place.mask)
    }
    // All else looks at columns one by one: the first of all is the first of those that are allowed if it is
    // one of them, which is known without a mask.
    guard let first = column(row, count, position, context, drafts, map, mask: nil) else {
      return nil
    }
    guard !place.allows(map?.tokens[first] ?? Token(first)), let mask = place.mask,
      mask.apply(to: row, count: count, map: map)
    else { return first }
    return parameters.isGreedy
      ? Kernels.argmax(row, count: count)
      : Argmax.gumbelIndex(row, count: count, noise: noise.stream(position: position), map: map)
  }

  /// Chooses among the tokens of a mask, if the row has one of them.
  private mutating func column(
    _ row: UnsafeMutablePointer<Float>, _ count: Int, _ position: Int, _ context: TokenPresence,
    _ drafts: [Token], _ map: VocabularyMap?, mask: ConstraintMask?
  ) -> Int? {
    if parameters.isArgmax { return Kernels.finiteArgmax(row, count: count) }
    var isMasked = false
    if let mask {
      // Afterwards the row isn't finite.
      guard Kernels.finiteMaximum(row, count: count) != nil else { return nil }
      isMasked = mask.apply(to: row, count: count, map: map)
    }
    guard
      processor.process(
        UnsafeMutableBufferPointer(start: row, count: count), context: context, drafts: drafts,
        map: map, isMasked: isMasked)
    else { return nil }
    if parameters.isGreedy { return Kernels.finiteArgmax(row, count: count) }
    return Argmax.gumbelIndex(row, count: count, noise: noise.stream(position: position), map: map)
  }

  /// The numbers that tokens are drawn with at a position.
  func noise(position: Int) -> KeyedNoise.Stream { noise.stream(position: position) }

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
