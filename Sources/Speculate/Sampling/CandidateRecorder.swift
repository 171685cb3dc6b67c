public import Files
import Tensors

/// Keeps a source's most probable tokens at each place of a block, for an observer.
package final class CandidateRecorder {
  static let limit = 5

  /// The candidates of each place drafted so far.
  private(set) var places: [[TokenCandidate]] = []
  /// What keeping them took since the last ``reset()``: no part of drafting.
  private(set) var seconds = 0.0

  func reset() {
    places.removeAll(keepingCapacity: true)
    seconds = 0
  }

  /// Keeps the candidates of a place; drafts are chosen in any order.
  ///
  /// - Parameters:
  ///   - weights: unnormalised probabilities: [count].
  ///   - total: their sum.
  ///   - place: 0 for the draft after the anchor.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  func record(
    _ weights: UnsafePointer<Float>, count: Int, total: Float, place: Int, map: VocabularyMap?
  ) {
    var watch = Stopwatch()
    while places.count <= place { places.append([]) }
    places[place] = TopWeights.columns(weights, count: count, limit: Self.limit).map {
      TokenCandidate(token: map?.tokens[$0] ?? Token($0), probability: weights[$0] / total)
    }
    seconds += watch.lap()
  }
}

/// A token that a model considered, and how probable it found it.
public struct TokenCandidate: Sendable, Equatable {
  /// The token.
  public var token: Token
  /// Its probability, 0 to 1.
  public var probability: Float

  /// Makes a candidate.
  public init(token: Token, probability: Float) {
    self.token = token
    self.probability = probability
  }
}
