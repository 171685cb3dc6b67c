import Tensors

/// A decoder's side of observation: turns a round that has just ended into a ``RoundRecord``.
///
/// Used after the round's last lap, while the rows of its target pass are still there.
struct RoundTracer {
  let observer: any RoundObserver
  /// What draft choosers tell about their places.
  let candidates = CandidateRecorder()
  /// A row's probabilities: [vocabulary].
  private let scratch: FloatBuffer

  init(_ observer: any RoundObserver, vocabulary: Int) {
    self.observer = observer
    scratch = FloatBuffer(count: vocabulary)
  }

  /// Tells the observer about a round over a chain of drafts.
  ///
  /// - Parameters:
  ///   - drafted: drafts proposed.
  ///   - block: the drafts that were verified.
  ///   - accepted: how many were accepted.
  ///   - tokens: the committed text, the round's tokens included.
  ///   - emitted: how many the round committed.
  ///   - rows: rows of the target pass.
  ///   - seconds: what it took.
  ///   - logits: the row that chose the round's token `i`, as the choice left it: [vocabulary].
  func observe(
    drafted: Int, block: DraftBlock, accepted: Int, tokens: [Token], emitted: Int, rows: Int,
    seconds: RoundRecord.Seconds, logits: (Int) -> UnsafePointer<Float>
  ) {
    let committed = Array(tokens.suffix(emitted))
    var probabilities: [Float] = []
    var rejection: RoundRecord.Rejection?
    for (place, token) in committed.enumerated() {
      let total = weigh(logits(place))
      probabilities.append(scratch.base[Int(token)] / total)
      guard place == accepted, accepted < block.tokens.count else { continue }
      let target = TopWeights.columns(
        scratch.base, count: scratch.count, limit: CandidateRecorder.limit)
      rejection = RoundRecord.Rejection(
        probability: scratch.base[Int(block.tokens[accepted])] / total,
        draft: candidates.places.indices.contains(accepted) ? candidates.places[accepted] : [],
        target: target.map {
          TokenCandidate(token: Token($0), probability: scratch.base[$0] / total)
        })
    }
    observer.observe(
      RoundRecord(
        position: tokens.count - emitted, origin: drafted > 0 ? block.origin : nil,
        drafted: drafted, drafts: block.tokens,
        confidences: block.confidences.count == block.tokens.count ? block.confidences : [],
        tokens: committed, probabilities: probabilities, accepted: accepted,
        rejection: rejection, rows: rows, seconds: seconds))
  }

  /// Fills the scratch with a row's unnormalised probabilities and returns their sum.
  private func weigh(_ row: UnsafePointer<Float>) -> Float {
    let top = Kernels.maximum(row, count: scratch.count)
    return Kernels.exp(row, into: scratch.base, count: scratch.count, shift: top)
  }
}
