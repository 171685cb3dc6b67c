import Foundation

/// A learning rate that rises linearly, then falls along half a cosine to a floor.
package struct CosineSchedule: Sendable, Equatable {
  package var peak: Float
  /// The last rate, as a share of the highest.
  package var floorShare: Float
  package var warmupSteps: Int
  package var steps: Int

  package init(peak: Float, floorShare: Float, warmupSteps: Int, steps: Int) {
    self.peak = peak
    self.floorShare = floorShare
    self.warmupSteps = warmupSteps
    self.steps = steps
  }

  /// The rate of a step, counted from 0.
  package func rate(step: Int) -> Float {
    if step < warmupSteps { return peak * Float(step + 1) / Float(warmupSteps) }
    let length = max(steps - warmupSteps, 1)
    let progress = min(Double(step - warmupSteps) / Double(length), 1)
    let share = Float(0.5 + 0.5 * cos(Double.pi * progress))
    return peak * (floorShare + (1 - floorShare) * share)
  }
}

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
