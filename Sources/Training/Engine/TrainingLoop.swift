import Files
import Foundation

/// What one step says.
package struct StepResult {
  /// The sum of weighted losses.
  package var loss: Double
  /// The sum of weights.
  package var weight: Double
  package var gradientNorm: Double

  package init(loss: Double, weight: Double, gradientNorm: Double) {
    self.loss = loss
    self.weight = weight
    self.gradientNorm = gradientNorm
  }
}

/// The steps between two reports.
package struct TrainingInterval {
  package var steps = 0
  package var seconds = 0.0
  /// The learning rate of the last.
  package var rate: Float = 0
  /// The gradient's norm of the last, before clipping.
  package var gradientNorm = 0.0
  private var lossSum = 0.0
  private var weight = 0.0

  package var loss: Double { lossSum / max(weight, 1e-9) }

  fileprivate mutating func add(_ result: StepResult, rate: Float) {
    steps += 1
    lossSum += result.loss
    weight += result.weight
    gradientNorm = result.gradientNorm
    self.rate = rate
  }
}

/// The course of a training: steps under a schedule, with reports, held-out measurements and
/// checkpoints in between.
package struct TrainingLoop {
  private let options: RunOptions
  private let schedule: StagedSchedule
  private let measures: Bool

  /// Makes a course.
  ///
  /// - Parameters:
  ///   - schedule: The learning rates; its steps are those of the whole run.
  ///   - measures: Whether there is something to measure: every `evaluateEvery` steps, and at the end.
  package init(_ options: RunOptions, schedule: StagedSchedule, measures: Bool) {
    self.options = options
    self.schedule = schedule
    self.measures = measures
  }

  /// Runs until the last step or until `shouldStop` says so, then saves.
  ///
  /// - Returns: Whether all steps are done.
  /// - Throws: `SpeculateError` when the loss diverges or a step fails; the checkpoint then is the last good one.
  package func run<Training: Trainable>(
    _ training: Training, shouldStop: () -> Bool, report: (Training.Progress) -> Void
  ) throws -> Bool {
    let pending = training.pending
    var saved = training.stepCount
    let log =
      options.ranks.isFirst
      ? try MetricsLog(folder: options.output, from: pending == nil ? saved + 1 : saved) : nil
    func tell(_ progress: Training.Progress) throws {
      if let wrong = progress.scalars.first(where: { !$0.value.isFinite }) {
        throw failure(
          "\(wrong.tag) became \(named(wrong.value))", step: progress.step, saved: saved)
      }
      guard let log else { return }
      try log.append(progress)
      report(progress)
    }
    func measure(_ progress: Training.Progress) throws -> Bool {
      var progress = progress
      guard try training.measure(into: &progress) else { return false }
      try tell(progress)
      return true
    }
    if let pending {
      guard try measure(pending) else { return false }
      try training.save(pending: nil)
    }
    var sinceReport = Stopwatch()
    var sinceSave = Stopwatch()
    var interval = TrainingInterval()
    var watch = DivergenceWatch()
    while training.stepCount < schedule.steps {
      let rate = schedule.rate(step: training.stepCount)
      let result = try training.attempt(rate: rate)
      let step = training.stepCount
      if let result {
        interval.add(result, rate: rate)
        if let what = watch.divergence(result) { throw failure(what, step: step, saved: saved) }
      }
      let stop = result == nil || shouldStop()
      let ends = stop || step == schedule.steps
      let every = options.evaluateEvery
      let evaluates =
        measures && result != nil
        && (step == schedule.steps || every > 0 && step.isMultiple(of: every))
      if interval.steps > 0, ends || evaluates || step.isMultiple(of: options.logEvery) {
        interval.seconds = sinceReport.elapsed
        let progress = try training.progress(interval)
        interval = TrainingInterval()
        if evaluates {
          // First: a measurement takes long, and may find that something is wrong.
          try training.save(pending: progress)
          saved = step
          guard try measure(progress) else { return false }
        } else {
          try tell(progress)
        }
        sinceReport = Stopwatch()
      }
      if ends && (evaluates || saved < step) || sinceSave.elapsed > options.checkpointSeconds {
        try training.save(pending: nil)
        saved = step
        sinceSave = Stopwatch()
        if interval.steps == 0 { sinceReport = Stopwatch() }
      }
      if stop { break }
    }
    return training.stepCount >= schedule.steps
  }

  private func failure(_ what: String, step: Int, saved: Int) -> SpeculateError {
    let good =
      saved > 0
      ? "\(options.output.trainingCheckpoint.path) holds the good step \(saved): go on from it"
      : "start again"
    return SpeculateError("\(what) at step \(step); \(good) with a lower ‘learning rate’")
  }
}

/// A number as an error says it: NaN without the bits that tell one from another.
private func named(_ value: Double) -> String {
  value.isNaN ? "NaN" : value.isInfinite ? "infinite" : "\(value)"
}

/// Notices that a run is lost.
struct DivergenceWatch {
  private var smoothed: Double?
  private var lowest = Double.infinity

  /// What shows that the run is lost, if anything does: a loss or gradient that isn't a number, or a loss
  /// far above what it was, threefold the lowest and 3 nats more, which no batch of text does by itself.
  mutating func divergence(_ result: StepResult) -> String? {
    let loss = result.loss / max(result.weight, 1e-9)
    let lost = "the loss became \(named(loss))"
    guard result.weight > 0 else { return result.loss.isFinite ? nil : lost }
    guard loss.isFinite else { return lost }
    guard result.gradientNorm.isFinite else {
      return "the gradient's norm became \(named(result.gradientNorm))"
    }
    let mean = smoothed.map { 0.9 * $0 + 0.1 * loss } ?? loss
    smoothed = mean
    lowest = min(lowest, mean)
    return loss > 3 * lowest + 3 ? lost : nil
  }
}
