/// What a forcing run is made from, and where in its data it is.
package struct ForcePosition: RecipePosition {
  /// The fingerprint of the weights that training began with.
  package var target: UInt64
  /// How many trajectories the run visits.
  package var trajectories: Int
  /// Tokens of a block, before they grow.
  package var blockSize: Int
  /// The number of the next visit of a trajectory.
  package var visit = 0
  /// Rows seen.
  package var rows = 0

  /// Whether target, trajectories and blocks are those of a run that would begin.
  package func objection(to start: ForcePosition) -> String? {
    target == start.target && trajectories == start.trajectories && blockSize == start.blockSize
      ? nil
      : "was made with another target, other trajectories or blocks: give the same settings, another "
        + "‘output’, or delete it"
  }
}
