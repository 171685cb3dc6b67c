import Training

/// Makes responses and trajectories under progress lines.
enum TrajectoryProgressLine {
  /// Makes or reads both.
  ///
  /// - Throws: `Interruption.exitCode` after Ctrl-C.
  static func make(_ recipe: ForceRecipe) throws -> [Int: [Trajectory]] {
    let responses = try ResponseProgressLine.show { report in
      try recipe.respond(shouldStop: { Interruption.requested }, report: report)
    }
    let made = try responses.flatMap { responses in
      try show { report in
        try recipe.iterate(
          responses, shouldStop: { Interruption.requested }, report: report)
      }
    }
    guard let made else {
      Output.note("stopped; the same command goes on from here\n")
      throw Interruption.exitCode
    }
    return made
  }

  private static func show(
    _ make: (_ report: (TrajectoryProgress) -> Void) throws -> [Int: [Trajectory]]?
  ) rethrows -> [Int: [Trajectory]]? {
    var (line, last, first) = (ProgressLine?.none, TrajectoryProgress?.none, 0)
    func finish() {
      if let last { line?.finish(last.trajectories - first, detail: detail(last)) }
    }
    func detail(_ progress: TrajectoryProgress) -> String {
      "blocks of \(progress.blockSize) | \(Figures.count(progress.passes)) passes"
    }
    let made = try make { progress in
      if last?.blockSize != progress.blockSize {
        finish()
        first = progress.trajectories - 1
        line = ProgressLine("trajectories", unit: "responses", total: progress.wanted - first)
      }
      last = progress
      line?.update(progress.trajectories - first, detail: detail(progress))
    }
    finish()
    return made
  }
}
