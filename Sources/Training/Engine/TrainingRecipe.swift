import Foundation
package import Tensors

/// Something that learns step by step.
package protocol Trainable: AnyObject {
  associatedtype Progress: StepMetrics
  var stepCount: Int { get }
  /// A report whose measurement was interrupted in the session before.
  var pending: Progress? { get }
  /// Takes one step.
  ///
  /// - Returns: `nil` where it was stopped within: then nothing of the step is kept.
  /// - Throws: When what it learns from can't be read; the checkpoint then is the last good one.
  func attempt(rate: Float) throws -> StepResult?
  /// Describes the steps since the last report.
  func progress(_ interval: TrainingInterval) throws -> Progress
  /// Adds a held-out measurement to a report.
  ///
  /// - Returns: Whether it was made; false when it was stopped.
  func measure(into progress: inout Progress) throws -> Bool
  /// Writes the checkpoint and the model.
  ///
  /// - Parameter pending: A report whose measurement follows.
  func save(pending: Progress?) throws
}

/// One kind of training: the sequences of a step and their losses, held-out measurements and the model
/// that it writes. The rest is the same for all.
package protocol TrainingRecipe: Trainable where Progress == Joined<StepProgress, Figures> {
  associatedtype Position: RecipePosition
  associatedtype Figures: RecipeFigures
  associatedtype Model: TrainedModel
  associatedtype Pass: GradientPass
  var state: Run<Position, Model> { get }
  var optimization: Optimization<Pass> { get }
  var schedule: StagedSchedule { get }
  var hasHeldout: Bool { get }
  /// Takes one step; `state.header` is put back where it throws ``Stopped``.
  func step(rate: Float) throws -> StepResult
  /// What the recipe reports of the steps since the last report.
  func figures(_ interval: TrainingInterval) -> Figures
  /// Whether a held-out measurement is work of all ranks. Else the first makes it, and the others wait.
  var measuresTogether: Bool { get }
  /// Adds a held-out measurement; returns whether it was made, false when it was stopped.
  func measure(into figures: inout Figures) throws -> Bool
  /// Called before the first step of a run, on the rank that writes.
  func begin() throws
  /// Writes the model, on the rank that writes.
  func export() throws
}

extension TrainingRecipe {
  package var stepCount: Int { state.header.step }
  package var resumedStep: Int { state.resumedStep }
  package var parameterCount: Int { state.model.layout.count }
  package var precision: ProductPrecision { state.precision }
  package var workers: Workers { optimization.workers }

  /// One rise and one fall.
  package var schedule: StagedSchedule {
    StagedSchedule([state.options.stage(state.options.learningRate, steps: state.options.steps)])
  }

  package func begin() {}

  package var measuresTogether: Bool { false }

  /// The processes that the run is spread over.
  package var ranks: any Communicator { optimization.exchange.ranks }

  /// What is to be said of how the run goes on.
  package var remarks: [String] { state.remarks }

  /// Runs until the last step or until `shouldStop` says so, then writes checkpoint and model.
  ///
  /// Where there are several ranks, all run alike: one that wants to stop stops all after the same step.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked after every sequence and every round of a measurement, on this thread.
  ///   - report: Told of the rank that writes.
  /// - Returns: Whether all steps are done.
  @discardableResult
  package func run(shouldStop: () -> Bool, report: (Progress) -> Void) throws -> Bool {
    if stepCount == 0, ranks.isFirst { try begin() }
    return try withoutActuallyEscaping(shouldStop) { shouldStop in
      optimization.shouldStop = shouldStop
      defer { optimization.shouldStop = { false } }
      let optimization = optimization
      return try TrainingLoop(state.options, schedule: schedule, measures: hasHeldout)
        .run(
          self, shouldStop: ranks.isAlone ? shouldStop : { optimization.isStopAgreed },
          report: report)
    }
  }

  package var pending: Progress? {
    state.header.pending.flatMap {
      try? JSONDecoder().decode(Progress.self, from: Data($0.utf8))
    }
  }

  package func attempt(rate: Float) throws -> StepResult? {
    let before = state.header
    do { return try step(rate: rate) } catch is Stopped {
      state.header = before
      return nil
    }
  }

  package func progress(_ interval: TrainingInterval) throws -> Joined<StepProgress, Figures> {
    state.header.seconds += interval.seconds
    return Joined(
      StepProgress(
        step: stepCount, steps: state.options.steps, loss: interval.loss, rate: interval.rate,
        gradientNorm: interval.gradientNorm, seconds: state.header.seconds), figures(interval))
  }

  package func measure(into progress: inout Joined<StepProgress, Figures>) throws -> Bool {
    guard !ranks.isAlone, !measuresTogether else { return try measure(into: &progress.own) }
    return try ranks.broadcast(ranks.isFirst ? measure(into: &progress.own) : false)
  }

  package func save() throws { try save(pending: nil) }

  package func save(pending: Progress?) throws {
    guard ranks.isFirst else { return }
    state.header.pending = try pending.map {
      String(decoding: try JSONEncoder().encode($0), as: UTF8.self)
    }
    try state.save()
    try export()
  }

  /// Takes one step and counts it (``Optimization/step(_:rate:_:)``).
  func learn<Losses: LossSum>(
    from sequences: Int, rate: Float, _ body: @Sendable (Pass, Range<Int>) -> Losses
  ) throws -> (losses: Losses, gradientNorm: Double) {
    let result = try optimization.step(sequences, rate: rate, body)
    state.header.step += 1
    return result
  }
}

/// Thrown where the caller of a run wants to stop.
struct Stopped: Error {}
