import Foundation
import Tensors

/// Turns a row of raw logits into the logits of the distribution that is sampled.
///
/// Order and meaning are those of the processors of Hugging Face transformers 5: repetition
/// penalty, temperature, top-k, top-p, min-p. Removed tokens get `−infinity`. Where transformers
/// leaves ties to an unstable sort (top-p), the lower index stays.
///
/// All three filters keep a head of the row in order of falling logit, so each is a *cut*: a place
/// in that order behind which everything goes. No filter sorts the row.
///
/// A value keeps scratch space between rows and belongs to one sequence.
public struct LogitProcessor: Sendable {
  /// The parameters that are applied.
  public let parameters: SamplingParameters

  /// The largest logits of the row while the k-th largest is looked for; a min-heap.
  private var largest: [Float] = []
  private var candidates = CandidateHeap()
  /// `exp(logit − largest)` of every column: [columns].
  private var weights: [Float] = []

  /// Makes the processor of validated parameters.
  public init(_ parameters: SamplingParameters) { self.parameters = parameters }

  /// Processes one row in place.
  ///
  /// At temperature 0 only the repetition penalty is applied: filters keep the most probable token.
  ///
  /// - Parameters:
  ///   - row: logits: [columns].
  ///   - context: the tokens at and before the row.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  /// - Complexity: O(columns) for the usual filters, without allocation once warm.
  public mutating func process(
    _ row: UnsafeMutableBufferPointer<Float>, context: TokenPresence, map: VocabularyMap? = nil
  ) {
    penalize(row, context: context, map: map)
    guard !parameters.isGreedy else { return }
    if parameters.temperature != 1 {
      for index in row.indices { row[index] /= parameters.temperature }
    }
    var cut = Cut.none
    if parameters.topK > 0, parameters.topK < row.count {
      cut = Cut(logit: kthLargest(row, parameters.topK), index: .max)
    }
    if parameters.topP < 1 { cut = nucleus(row, behind: cut) }
    if parameters.minP > 0 {
      let least = Self.maximum(row) + log(parameters.minP)
      if least > cut.logit { cut = Cut(logit: least, index: .max) }
    }
    cut.apply(to: row)
  }

  /// A place in the order of falling logit and rising index; what is at or before it stays.
  private struct Cut {
    var logit: Float
    var index: Int32

    static let none = Cut(logit: -.infinity, index: .max)

    @inline(__always)
    func keeps(_ logit: Float, _ index: Int) -> Bool {
      logit > self.logit || (logit == self.logit && index <= Int(self.index))
    }

    func apply(to row: UnsafeMutableBufferPointer<Float>) {
      guard logit > -.infinity else { return }
      for index in row.indices where !keeps(row[index], index) { row[index] = -.infinity }
    }
  }

  /// Each distinct token of the context once: `l / penalty` if positive, `l · penalty` if not.
  private func penalize(
    _ row: UnsafeMutableBufferPointer<Float>, context: TokenPresence, map: VocabularyMap?
  ) {
    let penalty = parameters.repetitionPenalty
    guard penalty != 1 else { return }
    for token in context.distinct {
      guard let column = map == nil ? Int(token) : map?.column(of: token), column < row.count
      else { continue }
      row[column] = row[column] < 0 ? row[column] * penalty : row[column] / penalty
    }
  }

  private static func maximum(_ row: UnsafeMutableBufferPointer<Float>) -> Float {
    row.baseAddress.map { Kernels.maximum($0, count: row.count) } ?? -.infinity
  }

  /// The k-th largest logit: one pass with a heap of the `count` largest so far, whose root rarely
  /// gives way. `O(columns + count · log(count) · log(columns / count))` on average.
  private mutating func kthLargest(
    _ row: UnsafeMutableBufferPointer<Float>, _ count: Int
  ) -> Float {
    largest.removeAll(keepingCapacity: true)
    largest.append(contentsOf: row[..<count])
    return largest.withUnsafeMutableBufferPointer { heap in
      for root in stride(from: count / 2 - 1, through: 0, by: -1) { Self.sift(heap, root) }
      for index in count..<row.count where row[index] > heap[0] {
        heap[0] = row[index]
        Self.sift(heap, 0)
      }
      return heap[0]
    }
  }

  private static func sift(_ heap: UnsafeMutableBufferPointer<Float>, _ start: Int) {
    let value = heap[start]
    var hole = start
    while true {
      var child = 2 * hole + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < value else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = value
  }

  /// The last token of the smallest head whose mass reaches `topP`, among what `cut` keeps.
  ///
  /// A token stays while the mass before it is below `topP` of the whole.
  private mutating func nucleus(
    _ row: UnsafeMutableBufferPointer<Float>, behind cut: Cut
  ) -> Cut {
    let top = Self.maximum(row)
    let mass = cut.logit > -.infinity ? collect(row, cut, top: top) : collect(row, top: top)
    let wanted = Double(parameters.topP) * mass
    candidates.order()
    var before = 0.0
    var last = cut
    while before < wanted, let candidate = candidates.takeFirst() {
      before += Double(exp(candidate.logit - top))
      last = Cut(logit: candidate.logit, index: candidate.index)
    }
    return last
  }

  /// Collects what `cut` keeps, which is little, and returns its mass.
  private mutating func collect(
    _ row: UnsafeMutableBufferPointer<Float>, _ cut: Cut, top: Float
  ) -> Double {
    candidates.removeAll()
    var mass = 0.0
    for index in row.indices where cut.keeps(row[index], index) {
      candidates.collect(.init(logit: row[index], index: Int32(index)))
      mass += Double(exp(row[index] - top))
    }
    return mass
  }

  /// Collects the tokens near the largest logit, all if those hold too little mass for the
  /// nucleus, and returns the mass of the whole row.
  private mutating func collect(
    _ row: UnsafeMutableBufferPointer<Float>, top: Float
  ) -> Double {
    let near = top - 10
    candidates.removeAll()
    while weights.count < row.count { weights.append(0) }
    let mass = weights.withUnsafeMutableBufferPointer { weights in
      guard let source = row.baseAddress, let target = weights.baseAddress else { return 0.0 }
      return Double(Kernels.exp(source, into: target, count: row.count, shift: top))
    }
    var held = 0.0
    for index in row.indices where row[index] >= near {
      candidates.collect(.init(logit: row[index], index: Int32(index)))
      held += Double(weights[index])
    }
    if held < Double(parameters.topP) * mass {
      for index in row.indices where row[index] < near {
        candidates.collect(.init(logit: row[index], index: Int32(index)))
      }
    }
    return mass
  }
}
