package import Tensors

/// Something that learns step by step.
package protocol Trainable: AnyObject {
  associatedtype Progress: StepMetrics
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
  /// What the recipe reports of the steps since the last report, after a held-out measurement if
  /// `evaluates`.
  func figures(_ interval: TrainingInterval, evaluates: Bool) throws -> Figures
  /// Called before the first step of a run.
  func begin() throws
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

  /// Runs until the last step or until `shouldStop` says so, then writes checkpoint and model.
  ///
  /// - Returns: Whether all steps are done.
  @discardableResult
  package func run(shouldStop: () -> Bool, report: (Progress) -> Void) throws -> Bool {
    if stepCount == 0 { try begin() }
    return try TrainingLoop(state.options, schedule: schedule, measures: hasHeldout)
      .run(self, shouldStop: shouldStop, report: report)
  }

  package func progress(
    _ interval: TrainingInterval, evaluates: Bool
  ) throws -> Joined<StepProgress, Figures> {
    state.header.seconds += interval.seconds
    let figures = try figures(interval, evaluates: evaluates)
    return Joined(
      StepProgress(
        step: stepCount, steps: state.options.steps, loss: interval.loss, rate: interval.rate,
        gradientNorm: interval.gradientNorm, seconds: state.header.seconds), figures)
  }

  package func save() throws {
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
