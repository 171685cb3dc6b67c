import Files
package import Foundation

/// Something that learns step by step.
package protocol Trainable: AnyObject {
  associatedtype Progress: StepMetrics
  /// Steps taken.
  var stepCount: Int { get }
  /// Takes one step.
  ///
  /// - Throws: When what it learns from can't be read; the checkpoint then is the last good one.
  func step(rate: Float) throws -> StepResult
  /// Describes the steps since the last report, after a held-out measurement if `evaluates`.
  func progress(_ interval: TrainingInterval, evaluates: Bool) throws -> Progress
  /// Writes the checkpoint and the model.
  func save() throws
}

/// What one step says.
package struct StepResult {
  /// The sum of weighted losses.
  package var loss: Double
  /// The sum of weights.
  package var weight: Double
  /// The gradient's norm before clipping.
  package var gradientNorm: Double

  /// The sums of a step.
  package init(loss: Double, weight: Double, gradientNorm: Double) {
    self.loss = loss
    self.weight = weight
    self.gradientNorm = gradientNorm
  }
}

/// The steps between two reports.
package struct TrainingInterval {
  /// How many.
  package var steps = 0
  /// Their wall-clock seconds.
  package var seconds = 0.0
  /// The learning rate of the last.
  package var rate: Float = 0
  /// The gradient's norm of the last, before clipping.
  package var gradientNorm = 0.0
  private var lossSum = 0.0
  private var weight = 0.0

  /// Their mean loss.
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
  /// The learning rates; its steps are those of the whole run.
  package var schedule: StagedSchedule
  /// Steps between reports.
  package var logEvery: Int
  /// Steps between held-out measurements, one at the end in any case; 0 for that one alone, `nil`
  /// where there is nothing to measure.
  package var evaluateEvery: Int?
  /// Seconds between checkpoints.
  package var checkpointSeconds: Double
  /// The checkpoint, for messages.
  package var checkpoint: URL

  /// Makes a course.
  package init(
    schedule: StagedSchedule, logEvery: Int, evaluateEvery: Int?, checkpointSeconds: Double,
    checkpoint: URL
  ) {
    self.schedule = schedule
    self.logEvery = logEvery
    self.evaluateEvery = evaluateEvery
    self.checkpointSeconds = checkpointSeconds
    self.checkpoint = checkpoint
  }

  /// Runs until the last step or until `shouldStop` says so, then saves.
  ///
  /// - Returns: Whether all steps are done.
  /// - Throws: `SpeculateError` when the loss diverges or a step fails; the checkpoint then is the last good one.
  package func run<Training: Trainable>(
    _ training: Training, log: MetricsLog, shouldStop: () -> Bool,
    report: (Training.Progress) -> Void
  ) throws -> Bool {
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
      let evaluates =
        evaluateEvery.map { step == schedule.steps || $0 > 0 && step.isMultiple(of: $0) } ?? false
      if ends || evaluates || step.isMultiple(of: logEvery) {
        interval.seconds = sinceReport.elapsed
        let progress = try training.progress(interval, evaluates: evaluates)
        try log.append(progress)
        report(progress)
        interval = TrainingInterval()
        sinceReport = Stopwatch()
      }
      if ends || sinceSave.elapsed > checkpointSeconds {
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
      saved > 0 ? "\(checkpoint.path) holds the good step \(saved): go on from it" : "start again"
    return SpeculateError(
      "the loss became \(loss) at step \(step); \(good) with a lower --learning-rate")
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
