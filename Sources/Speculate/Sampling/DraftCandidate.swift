package import Files
import Foundation

/// A token that may be drafted, by a source that knows how often it came and has no logits.
package struct DraftCandidate {
  package let token: Token
  /// How often it came: of 1, with all others.
  package let share: Float
  /// How likely the target chooses it, as far as the source knows: a share at first.
  package var score: Float

  package init(token: Token, share: Float) {
    self.token = token
    self.share = share
    score = share
  }
}

extension DraftChooser {
  /// Orders the candidates of a place, the one that the target most likely chooses first, and scores them.
  ///
  /// Where drafts are coupled to the target's noise, shares stand for its chances: with them and the noise of the
  /// position it would choose the candidate of the largest `log share / T + g`, unless the largest of what isn't
  /// among them is larger. That is at most M with the chance `exp(−r · exp(−M))`, when r is the share of the rest.
  /// Otherwise the most frequent comes first.
  package func rank(_ candidates: inout [DraftCandidate], position: Int) {
    guard isCoupled, !candidates.isEmpty else { return }
    let noise = noise(position: position)
    let sharpness = 1 / Double(temperature)
    var rest = 1.0
    for index in candidates.indices {
      rest -= Double(candidates[index].share)
      candidates[index].score = Float(
        sharpness * log(Double(candidates[index].share)) + noise.gumbel(candidates[index].token))
    }
    rest = pow(max(rest, 0), sharpness)
    // A few: insertion allocates nothing.
    for index in candidates.indices.dropFirst() {
      var slot = index
      while slot > 0, candidates[slot - 1].score < candidates[slot].score {
        candidates.swapAt(slot - 1, slot)
        slot -= 1
      }
    }
    let top = Double(candidates[0].score)
    for index in candidates.indices.dropFirst() {
      candidates[index].score = Float(exp(Double(candidates[index].score) - top))
    }
    let second = candidates.count > 1 ? Double(candidates[1].score) : 0
    candidates[0].score = Float(exp(-rest * exp(-top)) / (1 + second))
  }
}
