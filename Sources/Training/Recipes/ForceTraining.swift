import Files
import Foundation
import Synchronization
import Tensors
import Text
import Verifier

/// The second half of forcing: a model learns from trajectories.
public final class ForceTraining: Trainable {
  private let options: ForceOptions
  private let target: CausalModel
  private let workers: Workers
  private let trajectories: [Int: [Trajectory]]  // by block size
  private let model: CausalTrainingModel
  private let configuration: ModelConfiguration  // of the exported model
  private let optimizer: AdamW
  private let passes: [ForcingPass]
  private let cache: FeatureCache?
  private let evaluator: ForceEvaluator?
  private var original: ForceEvaluation?
  private var visits: VisitOrder
  private var header: ForceHeader
  private var sums = ForcingLosses()  // since the last report
  private var counts = (clean: 0, noisy: 0.0, all: 0, rows: 0)
  /// Steps taken.
  package var stepCount: Int { header.step }
  /// Steps taken before this session; more than 0 when a checkpoint was found.
  public let resumedStep: Int
  /// What the trajectories are like.
  public let summary: TrajectorySummary

  /// The number of parameters.
  public var parameterCount: Int { model.layout.count }
  /// What the factors of matrix products are rounded to.
  public var precision: ProductPrecision { model.precision }

  init(
    _ options: ForceOptions, target: CausalModel, checkpoint: Checkpoint, fingerprint: UInt64,
    encoder: ChatEncoder, workers: Workers, trajectories all: [Int: [Trajectory]]
  ) throws {
    self.options = options
    self.target = target
    self.workers = workers
    // A noisy row needs a token behind it.
    trajectories = all.mapValues {
      $0.filter { $0.response.promptLength > 0 && $0.response.continuation.count > 1 }
    }
    let own = trajectories[options.blockSize] ?? []
    guard own.count >= options.sequences else {
      throw SpeculateError(
        "there are \(own.count) trajectories, fewer than the \(options.sequences) of a step: make "
          + "more of them")
    }
    summary = TrajectorySummary(own)
    let architecture = try CausalArchitecture(target.configuration, name: options.target.path)
    var exported = target.configuration
    exported.elementType = options.exportType
    configuration = exported

    let url = options.output.trainingCheckpoint
    let saved =
      FileManager.default.fileExists(atPath: url.path)
      ? try TrainingCheckpoint<ForceHeader>(contentsOf: url) : nil
    let precision = try ProductPrecision.ofRun(
      options.precision, checkpoint: saved.map { (url, $0.header.precision) })
    model = CausalTrainingModel(architecture, seed: options.seed, precision: precision)
    optimizer = AdamW(
      options.optimizer, layout: model.layout, stepCount: saved?.header.step ?? 0,
      frozen: options.trainsEmbedding ? [] : [CausalArchitecture.tensors.embedding])
    if let saved {
      guard saved.header.target == fingerprint, saved.header.trajectories == own.count,
        saved.header.blockSize == options.blockSize, saved.header.seed == options.seed
      else {
        throw SpeculateError(
          "\(url.path) was made with another target, other trajectories, blocks or another seed: "
            + "give the same flags, another --output, or delete it")
      }
      try saved.restore(
        model.layout, parameters: model.parameters, first: optimizer.first,
        second: optimizer.second)
      header = saved.header
      header.threads = options.threads
    } else {
      try Self.copy(checkpoint, to: model)
      header = ForceHeader(
        target: fingerprint, trajectories: own.count, blockSize: options.blockSize, step: 0,
        visit: 0, rows: 0, seconds: 0, seed: options.seed, threads: options.threads)
    }
    header.precision = precision
    resumedStep = header.step
    visits = VisitOrder(count: own.count, seed: options.seed)
    evaluator = try options.heldout.map {
      try ForceEvaluator(
        documents: $0, encoder: encoder, sizes: options.evaluation, seed: options.seed,
        workers: workers)
    }
    let longest = own.map(\.response.tokens.count).max() ?? 1
    let keepsTarget = options.objective.divergence != 0
    cache =
      keepsTarget
      ? FeatureCache(
        try TargetFeatures(
          model: target, workers: workers, layers: [], states: true, maximumLength: longest),
        bytes: options.memory) : nil
    let firstHead =
      keepsTarget
      ? try Self.embedding(checkpoint, shape: model.layout.entries[0].shape) : nil
    let rotary = RotaryLayer(
      width: architecture.headDimension, theta: architecture.ropeTheta, positions: longest)
    passes = (0..<workers.count).map { [model, options] _ in
      ForcingPass(
        model: model, maximumTokens: longest, copies: options.copies,
        trainsEmbedding: options.trainsEmbedding,
        firstHead: firstHead, rotary: rotary)
    }
  }

  /// Runs until the last step or until `shouldStop` says so, then writes checkpoint and model.
  ///
  /// - Returns: Whether all steps are done.
  @discardableResult
  public func run(
    shouldStop: () -> Bool, report: (ForceProgress) -> Void
  ) throws -> Bool {
    let log = try MetricsLog(folder: options.output, step: header.step)
    let loop = TrainingLoop(
      schedule: StagedSchedule([
        CosineSchedule(
          peak: options.learningRate, floorShare: options.floorShare,
          warmupSteps: Int((options.warmupShare * Double(options.steps)).rounded(.up)),
          steps: options.steps)
      ]),
      logEvery: options.logEvery, evaluateEvery: evaluator == nil ? nil : options.evaluateEvery,
      checkpointSeconds: options.checkpointSeconds, checkpoint: options.output.trainingCheckpoint)
    return try loop.run(self, log: log, shouldStop: shouldStop, report: report)
  }

  /// Describes an interval of steps.
  package func progress(_ interval: TrainingInterval, evaluates: Bool) throws -> ForceProgress {
    header.seconds += interval.seconds
    defer { (sums, counts) = (ForcingLosses(), (0, 0, 0, 0)) }
    let evaluation = evaluates ? try evaluate() : nil
    return ForceProgress(
      step: header.step, steps: options.steps, rows: header.rows, loss: interval.loss,
      cleanLoss: sums.clean / Double(max(counts.clean, 1)),
      noisyLoss: sums.noisy / max(counts.noisy, 1),
      divergence: cache == nil ? nil : sums.divergence / Double(max(counts.all, 1)),
      rate: interval.rate, gradientNorm: interval.gradientNorm,
      rowsPerSecond: Double(counts.rows) / interval.seconds, seconds: header.seconds,
      evaluation: evaluation, original: evaluation == nil ? nil : original)
  }

  /// Writes the checkpoint and the model.
  package func save() throws {
    try TrainingCheckpoint.write(
      header, layout: model.layout, parameters: model.parameters, first: optimizer.first,
      second: optimizer.second, to: options.output.trainingCheckpoint)
    try export()
  }

  /// Exports the model, loads it as a server does, and measures it; the target too, the first time.
  public func evaluate() throws -> ForceEvaluation? {
    guard let evaluator else { return nil }
    if original == nil { original = try evaluator.run(target, blockSize: options.blockSize) }
    try export()
    return try evaluator.run(
      CausalModel(directory: options.output), blockSize: options.blockSize)
  }

  private func export() throws {
    try ModelExport.write(
      model, configuration: configuration, tokenizer: nil, to: options.output)
    try ModelExport.copyTokenizer(from: options.target, to: options.output)
  }

  /// Takes one optimizer step.
  package func step(rate: Float) throws -> StepResult {
    let own = trajectories[options.blockSize(step: header.step)] ?? []
    var jobs: [Job] = []
    for _ in 0..<options.sequences {
      let index = visits.sequence(ofVisit: header.visit)
      var random = KeyedRandom(seed: options.seed, key: "phase \(header.visit)")
      let window = options.schedule.window
      let first = Int(random.next() % UInt64(window))
      // Copies have their windows' beginnings as far apart as they can be.
      let example = ForcingExample(
        own[index], schedule: options.schedule,
        phases: (0..<options.copies).map { (first + $0 * window / options.copies) % window })
      jobs.append(
        Job(
          example: example,
          states: try cache?.features(of: index, tokens: example.tokens).states))
      header.visit += 1
    }
    let clean = jobs.reduce(0) { $0 + $1.example.responseRows.count }
    let noisy = jobs.reduce(0) { $0 + $1.example.noisyWeight }
    let rows = jobs.reduce(0) { $0 + $1.example.cleanCount + $1.example.noisy.count }
    let losses = shared(
      jobs, cleanScale: 1 / Float(clean), noisyScale: noisy > 0 ? Float(1 / noisy) : 0)
    let norm = GradientSum.reduce(passes.map(\.gradients), workers: workers)
    optimizer.step(
      parameters: model.parameters, gradients: passes[0].gradients,
      gradientScale: norm > Double(options.clip) ? options.clip / Float(norm) : 1, rate: rate,
      workers: workers)
    header.step += 1
    header.rows += rows
    sums += losses
    counts.clean += clean
    counts.noisy += noisy
    counts.all += jobs.reduce(0) { $0 + $1.example.cleanCount }
    counts.rows += rows
    let loss =
      (Double(options.objective.clean) * losses.clean
        + Double(options.objective.divergence) * losses.divergence) / Double(clean)
      + losses.noisy / max(noisy, 1)
    return StepResult(loss: loss, weight: 1, gradientNorm: norm)
  }

  /// One sequence of a step.
  private struct Job: Sendable {
    let example: ForcingExample
    let states: FloatBuffer?
  }

  /// Shares sequences among the workers; sums are added in a fixed order.
  private func shared(_ jobs: [Job], cleanScale: Float, noisyScale: Float) -> ForcingLosses {
    let sums = Mutex([ForcingLosses](repeating: ForcingLosses(), count: workers.count))
    let (passes, count, objective) = (passes, workers.count, options.objective)
    workers.run { worker in
      let pass = passes[worker]
      pass.clearGradients()
      var sum = ForcingLosses()
      for index in (0..<jobs.count).share(of: worker, among: count) {
        sum += pass.forwardBackward(
          jobs[index].example, objective: objective, states: jobs[index].states,
          cleanScale: cleanScale, noisyScale: noisyScale)
      }
      sums.withLock { $0[worker] = sum }
    }
    return sums.withLock { $0.reduce(into: ForcingLosses()) { $0 += $1 } }
  }

  /// Overwrites all values with a model's.
  private static func copy(_ checkpoint: Checkpoint, to model: CausalTrainingModel) throws {
    for entry in model.layout.entries {
      let values =
        entry.name == CausalArchitecture.tensors.embedding
        ? try embedding(checkpoint, shape: entry.shape)
        : try checkpoint.floats(entry.name, shape: entry.shape)
      (model.parameters.base + entry.offset).update(from: values.base, count: entry.count)
    }
  }

  /// Of tied tensors a file holds one, and which one is the writer's choice.
  private static func embedding(_ checkpoint: Checkpoint, shape: [Int]) throws -> FloatBuffer {
    let isThere = checkpoint.shape(of: CausalArchitecture.tensors.embedding) != nil
    return try checkpoint.floats(
      isThere ? CausalArchitecture.tensors.embedding : CausalArchitecture.tensors.head, shape: shape
    )
  }
}

/// What trajectories are like.
public struct TrajectorySummary: Sendable, Equatable, Codable {
  /// How many there are.
  public var trajectories: Int
  /// The target's own tokens in them.
  public var tokens: Int
  /// Passes that the target took to them, one for each guess of a block.
  public var passes: Int

  /// Tokens that a pass of the target's own iteration brought.
  public var tokensPerPass: Double { passes > 0 ? Double(tokens) / Double(passes) : 0 }

  init(_ trajectories: [Trajectory]) {
    self.trajectories = trajectories.count
    tokens = trajectories.reduce(0) { $0 + $1.response.continuation.count }
    passes = trajectories.reduce(0) { $0 + $1.passes }
  }
}
