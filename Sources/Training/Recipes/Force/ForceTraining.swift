import Foundation
import Files
import Tensors
import Text
import Verifier

/// The second half of forcing: a model learns from trajectories.
package final class ForceTraining: TrainingRecipe {
  package let state: Run<ForcePosition, CausalTrainingModel>
  package let optimization: Optimization<ForcingPass>
  private let options: ForceOptions
  private let claim: OutputClaim?  // of the rank that writes
  private let target: CausalModel
  private let trajectories: [Int: [Trajectory]]  // by block size
  private let configuration: ModelConfiguration  // of the exported model
  private let cache: FeatureCache?
  private let evaluator: ForceEvaluator?
  private var original: ForceEvaluation?
  private var visits: VisitOrder
  private var sums = ForcingLosses()  // since the last report
  private var counts = (clean: 0, noisy: 0.0, all: 0, rows: 0)
  package let summary: TrajectorySummary

  package var hasHeldout: Bool { evaluator != nil }

  init(
    _ options: ForceOptions, claim: OutputClaim?, target: CausalModel, weights: ModelWeights,
    fingerprint: UInt64, evaluator: ForceEvaluator?, workers: Workers,
    trajectories all: [Int: [Trajectory]]
  ) throws {
    self.options = options
    self.claim = claim
    self.evaluator = evaluator
    self.target = target
    // A noisy row needs a token behind it.
    trajectories = all.mapValues {
      $0.filter { $0.response.promptLength > 0 && $0.response.continuation.count > 1 }
    }
    let own = trajectories[options.blockSize] ?? []
    try Self.check(trajectories: own.count, options)
    summary = TrajectorySummary(own)
    let architecture = try CausalArchitecture(target.configuration, name: options.target.path)
    var exported = target.configuration
    exported.elementType = options.exportType
    configuration = exported

    state = try Run(
      options.run,
      from: ForcePosition(
        target: fingerprint, trajectories: own.count, data: own.fingerprint,
        blockSize: options.blockSize),
      frozen: options.trainsEmbedding ? [] : [CausalArchitecture.tensors.embedding],
      origin: options.target,
      model: { CausalTrainingModel(architecture, seed: options.seed, precision: $0) },
      initialize: { try Self.copy(weights, to: $0) })
    state.header.data = own.fingerprint
    visits = VisitOrder(count: own.count, seed: options.seed)
    let longest = own.map(\.response.tokens.count).max() ?? 1
    let keepsTarget = options.objective.divergence != 0
    cache =
      keepsTarget
      ? FeatureCache(
        try TargetFeatures(
          model: target, workers: workers, layers: [], states: true, maximumLength: longest),
        bytes: options.memory, precision: .f32) : nil
    let firstHead =
      keepsTarget
      ? try weights.trainedValues(
        CausalArchitecture.tensors.embedding, shape: state.model.layout.entries[0].shape) : nil
    let rotary = RotaryLayer(
      width: architecture.headDimension, theta: architecture.ropeTheta, positions: longest)
    optimization = Optimization(of: state, workers: workers) { [model = state.model] in
      ForcingPass(
        model: model, maximumTokens: longest, copies: options.copies,
        trainsEmbedding: options.trainsEmbedding, firstHead: firstHead, rotary: rotary)
    }
  }

  package func figures(_ interval: TrainingInterval) -> ForceFigures {
    defer { (sums, counts) = (ForcingLosses(), (0, 0, 0, 0)) }
    return ForceFigures(
      rows: state.header.rows, cleanLoss: sums.clean / Double(max(counts.clean, 1)),
      noisyLoss: sums.noisy / max(counts.noisy, 1),
      divergence: cache == nil ? nil : sums.divergence / Double(max(counts.all, 1)),
      rowsPerSecond: Double(counts.rows) / interval.seconds)
  }

  package func measure(into figures: inout ForceFigures) throws -> Bool {
    guard let evaluation = try evaluate() else { return evaluator == nil }
    (figures.evaluation, figures.original) = (evaluation, original)
    return true
  }

  static func check(trajectories count: Int, _ options: ForceOptions) throws {
    guard count < options.sequences else { return }
    throw SpeculateError(
      "there are \(count) trajectories, fewer than the \(options.sequences) of a step: make more of "
        + "them")
  }

  /// Exports the model, loads it as a server does, and measures it; the target too, the first time.
  ///
  /// - Returns: `nil` without held-out documents, and when it was stopped.
  package func evaluate() throws -> ForceEvaluation? {
    guard let evaluator else { return nil }
    let shouldStop = optimization.shouldStop
    if original == nil {
      original = try evaluator.run(
        target, blockSize: options.blockSize, shouldStop: shouldStop)
      if original == nil { return nil }
    }
    try export()
    return try evaluator.run(
      CausalModel(directory: options.output), blockSize: options.blockSize,
      shouldStop: shouldStop)
  }

  package func export() throws {
    try ModelExport.write(
      state.model, configuration: configuration, tokenizer: nil, to: options.output)
    try ModelExport.copyTokenizer(from: options.target, to: options.output)
  }

  package func step(rate: Float) throws -> StepResult {
    let own = trajectories[options.blockSize(step: stepCount)] ?? []
    var jobs: [(example: ForcingExample, states: FloatBuffer?)] = []
    let here = optimization.sequences(of: options.sequences)
    for number in 0..<options.sequences {
      let index = visits.sequence(ofVisit: state.header.visit)
      var random = KeyedRandom(seed: options.seed, key: "phase \(state.header.visit)")
      let window = options.schedule.window
      let first = Int(random.next() % UInt64(window))
      // Copies have their windows' beginnings as far apart as they can be.
      let example = ForcingExample(
        own[index], schedule: options.schedule,
        phases: (0..<options.copies).map { (first + $0 * window / options.copies) % window })
      let states =
        here.contains(number)
        ? try cache?.features(
          of: index, tokens: example.tokens, shouldStop: optimization.shouldStopWithin
        ).states : nil
      jobs.append((example, states))
      state.header.visit += 1
    }
    let clean = jobs.reduce(0) { $0 + $1.example.responseRows.count }
    let noisy = jobs.reduce(0) { $0 + $1.example.noisyWeight }
    let rows = jobs.reduce(0) { $0 + $1.example.cleanCount + $1.example.noisy.count }
    let objective = options.objective
    let (losses, norm) = try learn(from: jobs.count, rate: rate) { [jobs] pass, part in
      let job = jobs[part.lowerBound]
      return pass.forwardBackward(
        job.example, objective: objective, states: job.states, cleanScale: 1 / Float(clean),
        noisyScale: noisy > 0 ? Float(1 / noisy) : 0)
    }
    state.header.rows += rows
    sums += losses
    counts.clean += clean
    counts.noisy += noisy
    counts.all += jobs.reduce(0) { $0 + $1.example.cleanCount }
    counts.rows += rows
    let loss =
      (Double(objective.clean) * losses.clean + Double(objective.divergence) * losses.divergence)
      / Double(clean) + losses.noisy / max(noisy, 1)
    return StepResult(loss: loss, weight: 1, gradientNorm: norm)
  }

  /// Overwrites all values with a model's.
  private static func copy(_ weights: ModelWeights, to model: CausalTrainingModel) throws {
    for entry in model.layout.entries {
      let values = try weights.trainedValues(entry.name, shape: entry.shape)
      (model.parameters.base + entry.offset).update(from: values.base, count: entry.count)
    }
  }
}

/// What trajectories are like.
package struct TrajectorySummary: Sendable, Equatable, Codable {
  package var trajectories: Int
  /// The target's own tokens in them.
  package var tokens: Int
  /// Passes that the target took to them, one for each guess of a block.
  package var passes: Int

  package var tokensPerPass: Double { passes > 0 ? Double(tokens) / Double(passes) : 0 }

  init(_ trajectories: [Trajectory]) {
    self.trajectories = trajectories.count
    tokens = trajectories.reduce(0) { $0 + $1.response.continuation.count }
    passes = trajectories.reduce(0) { $0 + $1.passes }
  }
}

extension ForcingLosses: LossSum {}
