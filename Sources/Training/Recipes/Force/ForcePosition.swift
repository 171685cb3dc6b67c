/// What a forcing run is made from, and where in its data it is.
package struct ForcePosition: RecipePosition {
  /// The fingerprint of the weights that training began with.
  package var target: UInt64
  package var trajectories: Int
  /// Tokens of a block, before they grow.
  package var blockSize: Int
  package var visit = 0
  package var rows = 0

  package func objection(to start: ForcePosition) -> String? {
    target == start.target && trajectories == start.trajectories && blockSize == start.blockSize
      ? nil
      : "was made with another target, other trajectories or blocks: give the same settings, another "
        + "‘output’, or delete it"
  }
}
