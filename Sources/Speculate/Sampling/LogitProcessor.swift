import Foundation
package import Files
import Tensors

/// Turns a row of raw logits into the logits of the distribution that is sampled.
///
/// Order and meaning are those of the processors of Hugging Face transformers 5: biases, repetition
/// penalty, temperature, top-k, top-p, min-p. Presence and frequency penalties, which it lacks, come with the
/// repetition penalty and mean what they do in OpenAI's API. Removed tokens get `−infinity`. Where transformers
/// leaves ties to an unstable sort (top-p), the lower index stays.
///
/// All three filters keep a head of the row in order of falling logit, so each is a *cut*: a place
/// in that order behind which everything goes. No filter sorts the row.
///
/// A value keeps scratch space between rows and belongs to one sequence.
package struct LogitProcessor: Sendable {
  package let parameters: SamplingParameters

  /// The largest logits of the row while the k-th largest is looked for; a min-heap.
  private var largest: [Float] = []
  /// Columns that a filter looks at: [columns], as many as were found in use.
  private var found: [UInt32] = []
  private var foundCount = 0
  /// `exp(logit − largest)` of every column: [columns].
  private var weights: [Float] = []
  /// Mass by distance from the largest logit, in steps of `1 / binsPerUnit`: [bins].
  private var mass = [Double](repeating: 0, count: bins)
  private var candidates = CandidateHeap()
  private let biases: [(token: Token, bias: Float)]

  private static let bins = 1024
  private static let binsPerUnit: Float = 32

  package init(_ parameters: SamplingParameters) {
    self.parameters = parameters
    biases = parameters.logitBias.map { ($0, $1) }
  }

  /// Processes one row in place.
  ///
  /// At temperature 0 only biases and penalties are applied: filters keep the most probable token,
  /// and whoever looks for it finds out whether all are finite.
  ///
  /// - Parameters:
  ///   - row: logits: [columns].
  ///   - context: the tokens at and before the row.
  ///   - drafts: tokens before the row that `context` doesn't know of: distinct, and none of it.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  ///   - isMasked: whether tokens were removed before, and all others are finite.
  /// - Returns: whether the row may be chosen from: `false` if a logit is NaN or infinite.
  /// - Complexity: O(columns) for the usual filters, without allocation once warm.
  @discardableResult
  package mutating func process(
    _ row: UnsafeMutableBufferPointer<Float>, context: TokenPresence, drafts: [Token] = [],
    map: VocabularyMap? = nil, isMasked: Bool = false
  ) -> Bool {
    for (token, bias) in biases {
      if let column = column(of: token, in: row, map) { row[column] += bias }
    }
    penalize(row, context.distinct, map: map)
    penalize(row, drafts, map: map)
    if parameters.usesCounts {
      for token in context.written { penalize(row, token, times: context.count(of: token), map) }
      for token in drafts { penalize(row, token, times: 1, map) }
    }
    guard !parameters.isGreedy, let logits = row.baseAddress else { return true }
    if found.count < row.count { makeRoom(row.count) }
    if parameters.temperature != 1 {
      Kernels.divide(logits, by: parameters.temperature, count: row.count)
    }
    guard
      let top = isMasked
        ? Kernels.maximum(logits, count: row.count)
        : Kernels.finiteMaximum(logits, count: row.count)
    else { return false }
    var cut = Cut.none
    if parameters.topK > 0, parameters.topK < row.count {
      cut.logit = kthLargest(row, parameters.topK)
    }
    if parameters.topP < 1 { cut = nucleus(row, top: top, atLeast: cut.logit) }
    if parameters.minP > 0 {
      let least = top + log(parameters.minP)
      if least > cut.logit { cut = Cut(logit: least, column: .max) }
    }
    apply(cut, to: row)
    return true
  }

  private mutating func makeRoom(_ columns: Int) {
    found = [UInt32](repeating: 0, count: columns)
    weights = [Float](repeating: 0, count: columns)
    candidates.reserveCapacity(columns)
  }

  /// A place in the order of falling logit and rising column; what is at or before it stays.
  private struct Cut {
    var logit: Float
    var column: Int32

    static let none = Cut(logit: -.infinity, column: .max)
  }

  private mutating func apply(_ cut: Cut, to row: UnsafeMutableBufferPointer<Float>) {
    guard cut.logit > -.infinity, let logits = row.baseAddress else { return }
    Kernels.mask(logits, count: row.count, below: cut.logit)
    guard cut.column < .max else { return }
    for slot in 0..<find(row[...], atLeast: cut.logit) {
      let column = Int(found[slot])
      if column > cut.column && row[column] == cut.logit { row[column] = -.infinity }
    }
  }

  /// Finds the columns whose logit is at least `bound`, counted from the part's first.
  ///
  /// - Returns: how many of ``found`` are in use.
  private mutating func find(
    _ part: Slice<UnsafeMutableBufferPointer<Float>>, atLeast bound: Float
  ) -> Int {
    found.withUnsafeMutableBufferPointer { found in
      guard let found = found.baseAddress,
        let logits = UnsafeMutableBufferPointer(rebasing: part).baseAddress
      else { return 0 }
      return Kernels.columns(logits, count: part.count, atLeast: bound, into: found)
    }
  }

  /// Each of some distinct tokens: `l / penalty` if positive, `l · penalty` if not.
  private func penalize(
    _ row: UnsafeMutableBufferPointer<Float>, _ tokens: [Token], map: VocabularyMap?
  ) {
    let penalty = parameters.repetitionPenalty
    guard penalty != 1 else { return }
    for token in tokens {
      guard let column = column(of: token, in: row, map) else { continue }
      row[column] = row[column] < 0 ? row[column] * penalty : row[column] / penalty
    }
  }

  /// A token that the output holds `times`: `l - presence - frequency · times`.
  private func penalize(
    _ row: UnsafeMutableBufferPointer<Float>, _ token: Token, times: Int, _ map: VocabularyMap?
  ) {
    guard let column = column(of: token, in: row, map) else { return }
    row[column] -= parameters.presencePenalty + parameters.frequencyPenalty * Float(times)
  }

  private func column(
    of token: Token, in row: UnsafeMutableBufferPointer<Float>, _ map: VocabularyMap?
  ) -> Int? {
    let column = map == nil ? Int(token) : map?.column(of: token)
    return column.flatMap { $0 < row.count ? $0 : nil }
  }

  /// The k-th largest logit: one pass with a heap of the `count` largest so far, whose root rarely
  /// gives way. `O(columns + count · log(count) · log(columns / count))` on average.
  private mutating func kthLargest(
    _ row: UnsafeMutableBufferPointer<Float>, _ count: Int
  ) -> Float {
    largest.removeAll(keepingCapacity: true)
    largest.append(contentsOf: row[..<count])
    largest.withUnsafeMutableBufferPointer { $0.makeHeap(<) }
    let piece = 1024
    for start in stride(from: count, to: row.count, by: piece) {
      for slot in 0..<find(row[start..<min(start + piece, row.count)], atLeast: largest[0]) {
        let logit = row[start + Int(found[slot])]
        guard logit > largest[0] else { continue }
        largest[0] = logit
        largest.withUnsafeMutableBufferPointer { $0.sift(0, <) }
      }
    }
    return largest[0]
  }

  /// The last token of the smallest head whose mass reaches `topP`, among logits of at least
  /// `bound`.
  ///
  /// A token stays while the mass before it is below `topP` of the whole. Mass is first summed in
  /// bins of equal width, and only the bin in which the sum gets there is ordered.
  private mutating func nucleus(
    _ row: UnsafeMutableBufferPointer<Float>, top: Float, atLeast bound: Float
  ) -> Cut {
    let wanted = Double(parameters.topP) * fillBins(row, top: top, atLeast: bound)
    var before = 0.0
    guard
      let bin = mass.firstIndex(where: {
        if before + $0 >= wanted { return true }
        before += $0
        return false
      })
    else { return Cut(logit: bound, column: .max) }
    candidates.removeAll()
    for slot in 0..<foundCount where Self.bin(row[Int(found[slot])], top) == bin {
      candidates.collect(.init(logit: row[Int(found[slot])], index: Int32(found[slot])))
    }
    candidates.order()
    var last = Cut(logit: bound, column: .max)
    while before < wanted, let candidate = candidates.takeFirst() {
      before += Double(weights[Int(candidate.index)])
      last = Cut(logit: candidate.logit, column: candidate.index)
    }
    return last
  }

  /// Finds the columns that may be in the nucleus, sums their mass in bins, and returns the mass of
  /// all logits of at least `bound`.
  ///
  /// Without a bound, columns far below the largest logit matter only as mass, unless those near it
  /// hold too little.
  private mutating func fillBins(
    _ row: UnsafeMutableBufferPointer<Float>, top: Float, atLeast bound: Float
  ) -> Double {
    let whole = weights.withUnsafeMutableBufferPointer { weights in
      guard let source = row.baseAddress, let target = weights.baseAddress else { return 0.0 }
      return Double(Kernels.exp(source, into: target, count: row.count, shift: top))
    }
    if bound > -.infinity { return sumBins(row, top: top, atLeast: bound) }
    let near = sumBins(row, top: top, atLeast: top - 10)
    if near >= Double(parameters.topP) * whole { return whole }
    return sumBins(row, top: top, atLeast: -.greatestFiniteMagnitude)
  }

  /// Fills the bins with the mass of logits of at least `bound` and returns it.
  private mutating func sumBins(
    _ row: UnsafeMutableBufferPointer<Float>, top: Float, atLeast bound: Float
  ) -> Double {
    for bin in mass.indices { mass[bin] = 0 }
    foundCount = find(row[...], atLeast: bound)
    for slot in 0..<foundCount {
      let column = Int(found[slot])
      mass[Self.bin(row[column], top)] += Double(weights[column])
    }
    return mass.reduce(0, +)
  }

  @inline(__always)
  private static func bin(_ logit: Float, _ top: Float) -> Int {
    Int(min((top - logit) * binsPerUnit, Float(bins - 1)))
  }
}
