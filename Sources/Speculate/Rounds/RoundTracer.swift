import Files
import Tensors
import Verifier

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

  /// Tells the observer about a round.
  ///
  /// - Parameters:
  ///   - outcome: what was verified and accepted, with the rows as the choices left them.
  ///   - drafted: drafts proposed.
  ///   - passDrafts: of these, drafts that a draft pass made.
  ///   - tokens: the committed text, the round's tokens included.
  func observe(
    _ outcome: RoundOutcome, of strategy: any RoundStrategy, drafted: Int, passDrafts: Int,
    tokens: [Token], seconds: RoundRecord.Seconds
  ) {
    let (tree, path, accepted) = (outcome.tree, outcome.path, outcome.accepted)
    let drafts = strategy.traced
    let committed = Array(tokens.suffix(path.count))
    var probabilities: [Float] = []
    var rejection: RoundRecord.Rejection?
    for (place, token) in committed.enumerated() {
      let total = weigh(outcome.logits[path[place]])
      probabilities.append(scratch.base[Int(token)] / total)
      let rejected = tree.parents.indices.filter { tree.parents[$0] == path[place] }
      // Of drafts beside each other the likeliest stands last.
      guard place == accepted, let likeliest = rejected.last else { continue }
      let target = TopWeights.columns(
        scratch.base, count: scratch.count, limit: CandidateRecorder.limit)
      // Where the text left what the drafter saw coming, its candidates are about another text.
      let known =
        candidates.places.indices.contains(accepted)
        && rejected.contains { drafts[$0 - 1].origin == .drafter }
      rejection = RoundRecord.Rejection(
        probability: scratch.base[Int(tree.tokens[likeliest])] / total,
        draft: known ? candidates.places[accepted] : [],
        target: target.map {
          TokenCandidate(token: Token($0), probability: scratch.base[$0] / total)
        })
    }
    let origins = Set(drafts.map(\.origin))
    observer.observe(
      RoundRecord(
        position: tokens.count - path.count,
        origin: drafted > 0 ? (origins.count == 1 ? origins.first : strategy.origin) : nil,
        drafted: drafted, passDrafts: passDrafts, drafts: Array(tree.tokens.dropFirst()),
        origins: origins.count > 1 ? drafts.map(\.origin) : [],
        confidences: drafts.contains { $0.confidence != nil } ? drafts.map(\.confidence) : [],
        parents: tree.isChain ? [] : tree.parents.dropFirst().map { $0 - 1 },
        tokens: committed, probabilities: probabilities, accepted: accepted,
        rejection: rejection, rows: tree.count, seconds: seconds))
  }

  /// Fills the scratch with a row's unnormalised probabilities and returns their sum.
  private func weigh(_ row: UnsafePointer<Float>) -> Float {
    let top = Kernels.maximum(row, count: scratch.count)
    return Kernels.exp(row, into: scratch.base, count: scratch.count, shift: top)
  }
}

/// What a decoder tells about a verified draft.
package struct TracedDraft {
  /// Where it came from; where sources agree, the first of them.
  package var origin: DraftOrigin
  /// Its probability by the source's own account, if it has one.
  package var confidence: Float?
}
