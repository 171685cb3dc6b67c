public import Drafter
import Files
import Foundation
import Synchronization
import Tensors
import Text
import Verifier

/// The second half of distillation: a drafter learns from responses and features.
public final class DrafterTraining: Trainable {
  let options: DistillOptions
  let target: CausalModel
  let tokenizer: any Tokenizer
  let workers: Workers
  private let responses: [Response]
  let model: DrafterTrainingModel
  private let optimizer: AdamW
  private let passes: [DrafterPass]
  private let cache: FeatureCache?  // nil where nothing of the target is needed
  let heldout: [HeldoutAnswer]
  let replay: AcceptanceReplay?  // nil without held-out answers
  let longest: Int  // tokens of a response, its prompt included
  private var visits: VisitOrder
  private(set) var header: DistillHeader
  private var reportedAnchors: Int  // at the last report
  /// Steps taken.
  package var stepCount: Int { header.step }
  /// What the responses are like.
  public let summary: ResponseSummary
  /// Steps taken before this session; more than 0 when a checkpoint was found.
  public let resumedStep: Int

  /// How many responses have features that are read instead of computed.
  public let storedCount: Int
  /// What to say of stored features that can't be used.
  public let unusedFeatures: [String]

  /// The number of parameters.
  public var parameterCount: Int { model.layout.count }
  /// What the factors of matrix products are rounded to.
  public var precision: ProductPrecision { model.precision }
  /// The drafter's sizes.
  public var configuration: DrafterConfiguration { model.configuration }

  init(
    _ options: DistillOptions, target: CausalModel, checkpoint: Checkpoint,
    tokenizer: any Tokenizer, workers: Workers, maskToken: Token, responses all: [Response],
    heldout heldoutResponses: [Response], stored: [FeatureStore]
  ) throws {
    self.options = options
    self.target = target
    self.tokenizer = tokenizer
    self.workers = workers
    // An anchor needs a token behind it.
    responses = all.filter { !$0.continuation.isEmpty && $0.promptLength > 0 }
    guard responses.count >= options.sequences else {
      throw SpeculateError(
        "there are \(responses.count) responses, fewer than the \(options.sequences) of a step: "
          + "make more of them")
    }
    let url = options.output.trainingCheckpoint
    let saved =
      FileManager.default.fileExists(atPath: url.path)
      ? try TrainingCheckpoint<DistillHeader>(contentsOf: url) : nil

    var counts = [Int](repeating: 0, count: target.configuration.vocabularySize)
    for response in responses { for token in response.continuation { counts[Int(token)] += 1 } }
    let vocabulary = try Self.draftVocabulary(options, counts: counts)
    let configuration = try Self.configuration(
      options, target.configuration, maskToken: maskToken, draftVocabulary: vocabulary)
    let text = String(decoding: configuration.encoded(), as: UTF8.self)
    if let saved {
      guard saved.header.configuration == text, saved.header.draftVocabulary == vocabulary,
        saved.header.seed == options.seed, saved.header.responses == responses.count
      else {
        throw SpeculateError(
          "\(url.path) was made with other sizes, responses or another seed: give the same flags, "
            + "another --output, or delete it")
      }
    }
    let rows = TargetRows(
      embedding: target.embedding, head: try Self.head(target, checkpoint),
      draftVocabulary: vocabulary)
    let precision = try ProductPrecision.ofRun(
      options.precision, checkpoint: saved.map { (url, $0.header.precision) })
    model = DrafterTrainingModel(
      configuration, target: rows, objective: options.objective, seed: options.seed,
      precision: precision)
    optimizer = AdamW(options.optimizer, layout: model.layout, stepCount: saved?.header.step ?? 0)
    if let saved {
      try saved.restore(
        model.layout, parameters: model.parameters, first: optimizer.first,
        second: optimizer.second)
      header = saved.header
      header.threads = options.threads
    } else {
      try Self.initialize(model, target.configuration, checkpoint, options)
      header = DistillHeader(
        configuration: text, draftVocabulary: vocabulary, responses: responses.count, step: 0,
        visit: 0, anchors: 0, seconds: 0, seed: options.seed, threads: options.threads)
    }
    header.precision = precision
    resumedStep = header.step
    reportedAnchors = header.anchors
    visits = VisitOrder(count: responses.count, seed: options.seed)
    let own = counts.reduce(0, +)
    let covered = vocabulary.map { $0.reduce(0) { $0 + counts[Int($1)] } } ?? own
    summary = ResponseSummary(
      responses: responses.count, tokens: own, coverage: Double(covered) / Double(max(own, 1)))

    longest = max(
      responses.map(\.tokens.count).max() ?? 1, heldoutResponses.map(\.tokens.count).max() ?? 1)
    guard longest + options.blockSize <= target.configuration.maximumContext else {
      throw SpeculateError(
        "responses of \(longest) tokens with a block of \(options.blockSize) don't fit the target's "
          + "context of \(target.configuration.maximumContext): make shorter ones")
    }
    let isConditioned = configuration.kind == .conditioned
    let features =
      isConditioned || options.objective.needsDistribution
      ? try TargetFeatures(
        model: target, workers: workers, layers: configuration.targetLayers,
        states: options.objective.needsDistribution, maximumLength: longest) : nil
    let cache = features.map { FeatureCache($0, stored: stored, bytes: options.memory) }
    self.cache = cache
    storedCount = responses.count { cache?.isStored($0.tokens) ?? false }
    unusedFeatures = stored.compactMap { store in
      guard let features, features.slots(in: store.settings) == nil else { return nil }
      return "\(store.folder.path) holds layers \(store.settings.layers), not all of "
        + "\(features.layers): the target computes them"
    }
    heldout = HeldoutAnswer.all(
      heldoutResponses, length: options.heldout?.length,
      endTokens: target.configuration.endTokens)
    replay =
      heldout.isEmpty
      ? nil : AcceptanceReplay(heldout, features: isConditioned ? features : nil)
    let rotary = RotaryLayer(
      width: configuration.shape.headDimension, theta: configuration.ropeTheta,
      positions: longest + options.blockSize)
    passes = (0..<workers.count).map { [model, longest] _ in
      DrafterPass(
        model: model, maximumBlocks: options.anchors, maximumContext: longest, rotary: rotary)
    }
  }

  /// Runs until the last step or until `shouldStop` says so, then writes checkpoint and drafter.
  ///
  /// - Returns: Whether all steps are done.
  @discardableResult
  public func run(
    shouldStop: () -> Bool, report: (DistillProgress) -> Void
  ) throws -> Bool {
    let log = try MetricsLog(folder: options.output, step: header.step)
    if header.step == 0 {
      try DrafterExport.write(model, type: options.exportType, to: options.output)
      if options.savesBest { try removeBest() }
    }
    let loop = TrainingLoop(
      schedule: StagedSchedule(options),
      logEvery: options.logEvery, evaluateEvery: replay == nil ? nil : options.evaluateEvery,
      checkpointSeconds: options.checkpointSeconds, checkpoint: options.output.trainingCheckpoint)
    return try loop.run(self, log: log, shouldStop: shouldStop, report: report)
  }

  /// Describes an interval of steps.
  package func progress(_ interval: TrainingInterval, evaluates: Bool) throws -> DistillProgress {
    header.seconds += interval.seconds
    let anchors = header.anchors - reportedAnchors
    reportedAnchors = header.anchors
    var progress = DistillProgress(
      step: header.step, steps: options.steps, stage: stage(step: header.step - 1)?.rawValue,
      anchors: header.anchors, loss: interval.loss,
      rate: interval.rate, gradientNorm: interval.gradientNorm,
      anchorsPerSecond: Double(anchors) / interval.seconds, seconds: header.seconds)
    if evaluates { try measure(into: &progress) }
    return progress
  }

  /// Writes the checkpoint and the drafter.
  public func save() throws {
    try TrainingCheckpoint.write(
      header, layout: model.layout, parameters: model.parameters, first: optimizer.first,
      second: optimizer.second, to: options.output.trainingCheckpoint)
    try DrafterExport.write(model, type: options.exportType, to: options.output)
  }

  /// Takes one optimizer step.
  package func step(rate: Float) throws -> StepResult {
    let blockSize = blockSize(step: header.step)
    var jobs: [Job] = []
    for _ in 0..<options.sequences {
      let index = visits.sequence(ofVisit: header.visit)
      let response = responses[index]
      // The last prompt token may be an anchor; the last token has nothing behind it.
      let anchors = AnchorSampler.anchors(
        options.anchors, from: response.promptLength - 1..<response.tokens.count - 1,
        seed: options.seed, visit: header.visit)
      jobs.append(
        Job(
          example: example(response.tokens, anchors, blockSize: blockSize),
          features: try cache?.features(of: index, tokens: response.tokens)
            ?? SequenceFeatures(taps: Self.nothing)))
      header.visit += 1
      header.anchors += anchors.count
    }
    let weight = jobs.reduce(0) { $0 + $1.example.totalWeight }
    let scale = weight > 0 ? Float(1 / weight) : 0
    let loss = shared(jobs, scale: scale)
    let norm = GradientSum.reduce(passes.map(\.gradients), workers: workers)
    optimizer.step(
      parameters: model.parameters, gradients: passes[0].gradients,
      gradientScale: norm > Double(options.clip) ? options.clip / Float(norm) : 1, rate: rate,
      workers: workers)
    header.step += 1
    return StepResult(loss: loss, weight: weight, gradientNorm: norm)
  }

  /// The blocks of a visit, masked and weighed as the stage wants it.
  private func example(_ tokens: [Token], _ anchors: [Int], blockSize: Int) -> DraftExample {
    let stage = stage(step: header.step)
    var example = DraftExample(
      tokens: tokens, anchors: anchors, blockSize: blockSize,
      decay: options.objective.decay(
        blockSize: options.blockSize, isPublished: stage == nil),
      choices: model.target.choices)
    switch stage {
    case nil: break
    case .distillation:
      var random = KeyedRandom(seed: options.seed, key: "noise \(header.visit)")
      example.addNoise(
        from: tokens, least: options.stages.leastNoise, maskedShare: options.stages.maskedShare,
        random: &random)
    case .refinement:
      example.weigh(DraftWeights.rising(blockSize: blockSize, alpha: options.stages.alpha))
    }
    return example
  }

  /// The stage of a step; nil for a conditioned drafter, which learns in one go.
  private func stage(step: Int) -> TokenStages.Stage? {
    guard options.kind == .tokens else { return nil }
    return step < options.steps - options.stages.refinementSteps ? .distillation : .refinement
  }

  /// The rows of a step's blocks: every size the drafter is to serve comes up alike.
  private func blockSize(step: Int) -> Int {
    let sizes = model.configuration.shortestBlock...model.configuration.blockSize
    var random = KeyedRandom(seed: options.seed, key: "block \(step)")
    return sizes.lowerBound + Int(random.next() % UInt64(sizes.count))
  }

  private static let nothing = FloatBuffer(count: 0)

  /// One sequence of a step.
  private struct Job: Sendable {
    let example: DraftExample
    let features: SequenceFeatures
  }

  /// Shares sequences among the workers; sums are added in a fixed order.
  private func shared(_ jobs: [Job], scale: Float) -> Double {
    let sums = Mutex([Double](repeating: 0, count: workers.count))
    let (passes, count) = (passes, workers.count)
    workers.run { worker in
      let pass = passes[worker]
      pass.clearGradients()
      var sum = 0.0
      for index in (0..<jobs.count).share(of: worker, among: count) {
        sum += pass.forwardBackward(
          jobs[index].example, features: jobs[index].features, scale: scale)
      }
      sums.withLock { $0[worker] = sum }
    }
    return sums.withLock { $0.reduce(0, +) }
  }

  /// The target's head as f32: [vocabulary][hidden].
  private static func head(_ target: CausalModel, _ checkpoint: Checkpoint) throws -> FloatBuffer {
    let (vocabulary, hidden) = (
      target.configuration.vocabularySize, target.configuration.hiddenSize
    )
    if !target.configuration.tiesEmbeddings {
      return try checkpoint.floats(
        target.configuration.family.tensors.head, shape: [vocabulary, hidden])
    }
    let head = FloatBuffer(count: vocabulary * hidden)
    for token in 0..<vocabulary {
      target.embedding.copy(Token(token), to: head.base + token * hidden)
    }
    return head
  }

  private static func draftVocabulary(
    _ options: DistillOptions, counts: [Int]
  ) throws -> [Token]? {
    guard case .drafter(let folder) = options.initialization else {
      return DraftVocabulary.mostFrequent(options.draftVocabulary, counts: counts)
    }
    let drafter = try BlockDrafter(directory: folder)
    guard drafter.configuration.vocabularySize == counts.count else {
      throw SpeculateError(
        "the drafter in \(folder.path) was made for a vocabulary of "
          + "\(drafter.configuration.vocabularySize), the target's has \(counts.count): give a "
          + "drafter of this target")
    }
    return drafter.draftVocabulary
  }

  private static func initialize(
    _ model: DrafterTrainingModel, _ target: ModelConfiguration, _ checkpoint: Checkpoint,
    _ options: DistillOptions
  ) throws {
    let fits = DrafterInitializer.fits(target, model.configuration)
    switch options.initialization {
    case .random: return
    case .drafter(let folder): try DrafterInitializer.copy(fromDrafter: folder, to: model)
    case .target where !fits:
      throw SpeculateError(
        "the drafter can't start as layers of the target, whose shape differs: give --init random")
    case nil where !fits: return
    default: try DrafterInitializer.copy(from: checkpoint, target, to: model)
    }
  }
}
