import Drafter
import Files
import Foundation

/// A drafter without a model: what its passes say of a block is given by functions.
struct FakeDrafter {
  /// The probability of a place's token, by the block as it stands.
  var certainty: (_ place: Int, _ block: DenoisedBlock) -> Float = { _, _ in 0.5 }
  var token: (_ place: Int, _ block: DenoisedBlock) -> Token = { place, _ in Token(100 + place) }
  var limits = BlockLimits(vocabulary: 1000, maskToken: 3)
  var capacity = 16

  /// A token of a given probability, and others that share the rest.
  static func row(_ token: Token, _ probability: Float) -> RowDistribution {
    var logits = [Float](repeating: logarithm((1 - probability) / 999), count: 1000)
    logits[Int(token)] = logarithm(probability)
    return logits.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { RowDistribution($0, count: 1000, keepsLogits: true) }
    } ?? RowDistribution(top: [], logSum: 0, entropy: 0)
  }

  private static func logarithm(_ value: Float) -> Float {
    value > 0 ? log(value) : -100
  }

  /// Drafts a block of a policy whose state is of no interest afterwards.
  func drafted(
    _ policy: some DenoisingPolicy, count: Int, round: DenoisingRound = DenoisingRound()
  ) -> (block: DenoisedBlock, fixed: [[Int]]) {
    var policy = policy
    return draft(&policy, count: count, round: round)
  }

  /// Drafts a block.
  ///
  /// - Returns: the block when it was drafted, and the places that were fixed before each further pass.
  func draft(
    _ policy: inout some DenoisingPolicy, count: Int, round: DenoisingRound = DenoisingRound()
  ) -> (block: DenoisedBlock, fixed: [[Int]]) {
    var block = DenoisedBlock(capacity: capacity)
    var fixed: [[Int]] = []
    block.begin(anchor: 9, count: count, opening: policy.begin(round), limits: limits)
    while block.isOpen {
      block.countPass(rows: block.passCount + 1)
      for place in block.masked {
        let token = token(place, block)
        block.propose(token, confidence: certainty(place, block), at: place)
        block.see(Self.row(token, certainty(place, block)), at: place)
      }
      let before = block
      block.take(policy.next(block, round))
      if block.isOpen {
        fixed.append(
          block.drafts.indices.filter {
            before.drafts.indices.contains($0) && before.drafts[$0] == nil
              && block.drafts[$0] != nil
          })
      }
    }
    return (block, fixed)
  }
}
