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
    let log = try MetricsLog(folder: options.output, step: training.stepCount)
    var sinceReport = Stopwatch()
    var sinceSave = Stopwatch()
    var interval = TrainingInterval()
    var watch = DivergenceWatch()
    var saved = training.stepCount
    while training.stepCount < schedule.steps {
      let rate = schedule.rate(step: training.stepCount)
      let result = try training.step(rate: rate)
      interval.add(result, rate: rate)
      let step = training.stepCount
      if watch.diverges(result) { throw divergence(result, step: step, saved: saved) }
      let stop = shouldStop()
      let ends = stop || step == schedule.steps
      let every = options.evaluateEvery
      let evaluates =
        measures && (step == schedule.steps || every > 0 && step.isMultiple(of: every))
      if ends || evaluates || step.isMultiple(of: options.logEvery) {
        interval.seconds = sinceReport.elapsed
        let progress = try training.progress(interval, evaluates: evaluates)
        try log.append(progress)
        report(progress)
        interval = TrainingInterval()
        sinceReport = Stopwatch()
      }
      if ends || sinceSave.elapsed > options.checkpointSeconds {
        try training.save()
        saved = step
        sinceSave = Stopwatch()
        if interval.steps == 0 { sinceReport = Stopwatch() }
      }
      if stop { break }
    }
    return training.stepCount >= schedule.steps
  }

  private func divergence(_ result: StepResult, step: Int, saved: Int) -> SpeculateError {
    let loss = result.loss / max(result.weight, 1e-9)
    let good =
      saved > 0
      ? "\(options.output.trainingCheckpoint.path) holds the good step \(saved): go on from it"
      : "start again"
    return SpeculateError(
      "the loss became \(loss) at step \(step); \(good) with a lower ‘learning rate’")
  }
}

/// Notices that a run is lost.
struct DivergenceWatch {
  private var smoothed: Double?
  private var lowest = Double.infinity

  /// Whether this step's loss or gradient isn't a number, or the loss is far above what it was:
  /// threefold the lowest and 3 nats more, which no batch of text does by itself.
  mutating func diverges(_ result: StepResult) -> Bool {
    guard result.weight > 0 else { return !result.loss.isFinite }
    let loss = result.loss / result.weight
    guard loss.isFinite, result.gradientNorm.isFinite else { return true }
    let mean = smoothed.map { 0.9 * $0 + 0.1 * loss } ?? loss
    smoothed = mean
    lowest = min(lowest, mean)
    return loss > 3 * lowest + 3
  }
}
