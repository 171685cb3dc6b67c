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
