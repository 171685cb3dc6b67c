package import Drafter
package import Speculate
package import Tensors
package import Verifier

/// Sources that share their passes with no other sequence.
extension BlockDraftSource {
  package convenience init(
    drafter: BlockDrafter, target: CausalModel, workers: Workers, capacity: Int
  ) throws {
    try self.init(
      sharing: BlockDraftPasses(
        drafter: drafter, target: target, workers: workers, maximumBlocks: 1), capacity: capacity)
    try reserve(capacity)
  }
}

extension CausalDraftSource {
  package convenience init(
    drafter: CausalModel, workers: Workers, capacity: Int, passes: Int? = nil
  ) throws {
    try self.init(
      sharing: CausalDraftPasses(drafter: drafter, workers: workers, maximumSequences: 1),
      capacity: capacity, passes: passes)
    try reserve(capacity)
  }
}
