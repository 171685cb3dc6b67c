/// Learning rates of a run in one stage or more, each with a rise and a fall of its own.
package struct StagedSchedule: Sendable, Equatable {
  package var stages: [CosineSchedule]

  package var steps: Int { stages.reduce(0) { $0 + $1.steps } }

  package init(_ stages: [CosineSchedule]) {
    precondition(!stages.isEmpty, "a run has a stage")
    self.stages = stages
  }

  /// The rate of a step of the whole run, counted from 0.
  package func rate(step: Int) -> Float {
    var rest = step
    for stage in stages.dropLast() {
      if rest < stage.steps { return stage.rate(step: rest) }
      rest -= stage.steps
    }
    return stages[stages.count - 1].rate(step: rest)
  }
}
