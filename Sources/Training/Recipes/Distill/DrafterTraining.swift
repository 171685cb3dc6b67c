package import Drafter
import Files
import Foundation
import Tensors
import Text
import Verifier

/// The second half of distillation: a drafter learns from responses and features.
package final class DrafterTraining: TrainingRecipe {
  package let state: Run<DistillPosition, DrafterTrainingModel>
  package let optimization: Optimization<DrafterPass>
  let options: DistillOptions
  private let claim: OutputClaim?  // of the rank that writes
  let target: CausalModel
  let tokenizer: any Tokenizer
  private let responses: [Response]
  private let cache: FeatureCache?  // nil where nothing of the target is needed
  let heldout: [HeldoutAnswer]
  let endTokens: [Token]  // of held-out answers
  let replay: AcceptanceReplay?  // nil without held-out answers
  let longest: Int  // tokens of a response, its prompt included
  private var visits: VisitOrder
  private var reportedAnchors: Int  // at the last report
  package let summary: ResponseSummary
  /// How many responses have features that are read instead of computed.
  package let storedCount: Int
  /// What to say of stored features that can't be used.
  package let unusedFeatures: [String]

  package var configuration: DrafterConfiguration { model.configuration }
  var model: DrafterTrainingModel { state.model }
  package var hasHeldout: Bool { replay != nil }

  /// The learning rates of one stage, or of both for a drafter that sees tokens.
  package var schedule: StagedSchedule {
    let (run, peak) = (options.run, options.learningRate)
    guard let stages = options.tokenStages else {
      return StagedSchedule([run.stage(peak, steps: run.steps)])
    }
    let refinement = min(stages.refinementSteps, run.steps)
    return StagedSchedule([
      run.stage(peak, steps: run.steps - refinement),
      run.stage(peak * stages.refinementRate, steps: refinement),
    ])
  }

  init(
    _ options: DistillOptions, claim: OutputClaim?, target: CausalModel, weights: ModelWeights,
    tokenizer: any Tokenizer, workers: Workers, maskToken: Token, responses all: [Response],
    heldout heldoutResponses: [Response], heldoutEnds: [Token], stored: [FeatureStore]
  ) throws {
    self.options = options
    self.claim = claim
    endTokens = heldoutEnds
    self.target = target
    self.tokenizer = tokenizer
    // An anchor needs a token behind it.
    responses = all.filter { !$0.continuation.isEmpty && $0.promptLength > 0 }
    try Self.check(responses: responses.count, options)
    var counts = [Int](repeating: 0, count: target.configuration.vocabularySize)
    for response in responses { for token in response.continuation { counts[Int(token)] += 1 } }
    let vocabulary = try Self.draftVocabulary(options, counts: counts)
    let configuration = try Self.configuration(
      options, target.configuration, maskToken: maskToken, draftVocabulary: vocabulary)
    let rows = TargetRows(
      embedding: target.embedding, head: try Self.head(target, weights, rows: vocabulary),
      draftVocabulary: vocabulary)
    state = try Run(
      options.run,
      from: DistillPosition(
        configuration: String(decoding: configuration.encoded(), as: UTF8.self),
        draftVocabulary: vocabulary, responses: responses.count,
        data: responses.fingerprint),
      origin: Self.origin(options),
      model: {
        DrafterTrainingModel(
          configuration, target: rows, objective: options.objective, heads: options.heads,
          seed: options.seed, precision: $0)
      },
      initialize: { try Self.initialize($0, target.configuration, weights, options) })
    state.header.data = responses.fingerprint
    reportedAnchors = state.header.anchors
    visits = VisitOrder(count: responses.count, seed: options.seed)
    let own = counts.reduce(0, +)
    let covered = vocabulary.map { $0.reduce(0) { $0 + counts[Int($1)] } } ?? own
    summary = ResponseSummary(
      responses: responses.count, tokens: own, coverage: Double(covered) / Double(max(own, 1)))

    longest = max(
      responses.map(\.tokens.count).max() ?? 1, heldoutResponses.map(\.tokens.count).max() ?? 1)
    try Self.check(length: longest, options, target.configuration)
    let readsFeatures = configuration.kind.readsFeatures
    let features =
      readsFeatures || options.needsDistribution
      ? try TargetFeatures(
        model: target, workers: workers, layers: configuration.targetLayers,
        states: options.needsDistribution, maximumLength: longest) : nil
    let precision = state.precision
    let cache = features.map {
      FeatureCache($0, stored: stored, bytes: options.memory, precision: precision)
    }
    self.cache = cache
    storedCount = responses.count { cache?.isStored($0.tokens) ?? false }
    unusedFeatures = stored.compactMap { store in
      features.flatMap { FeatureCache.objection(to: store, $0, precision: precision) }
    }
    heldout = HeldoutAnswer.all(
      heldoutResponses, length: options.heldout?.length, endTokens: heldoutEnds)
    replay =
      heldout.isEmpty ? nil : AcceptanceReplay(heldout, features: readsFeatures ? features : nil)
    let rotary = RotaryLayer(
      width: configuration.shape.headDimension, theta: configuration.ropeTheta,
      positions: longest + options.blockSize)
    optimization = Optimization(of: state, workers: workers) { [model = state.model, longest] in
      DrafterPass(
        model: model, maximumBlocks: options.anchors, maximumContext: longest, rotary: rotary)
    }
  }

  /// Writes the drafter of the first values, and removes the best one of a run before.
  package func begin() throws {
    try export()
    if options.savesBest { try removeBest() }
  }

  package func figures(_ interval: TrainingInterval) -> DistillFigures {
    let anchors = state.header.anchors
    defer { reportedAnchors = anchors }
    return DistillFigures(
      stage: stage(step: stepCount - 1)?.rawValue, anchors: anchors,
      anchorsPerSecond: Double(anchors - reportedAnchors) / interval.seconds)
  }

  package func export() throws {
    try DrafterExport.write(model, type: options.exportType, to: options.output)
  }

  package func step(rate: Float) throws -> StepResult {
    let blockSize = blockSize(step: stepCount)
    var jobs: [(example: DraftExample, features: SequenceFeatures)] = []
    let here = optimization.sequences(of: options.sequences)
    for number in 0..<options.sequences {
      let visit = state.header.visit
      let index = visits.sequence(ofVisit: visit)
      let response = responses[index]
      // The last prompt token may be an anchor; the last token has nothing behind it.
      let anchors = anchors(of: response, visit: visit)
      let example = example(response.tokens, anchors, blockSize: blockSize)
      let features =
        here.contains(number)
        ? try cache?.features(
          of: index, tokens: response.tokens, shouldStop: optimization.shouldStopWithin) : nil
      jobs.append((example, features ?? SequenceFeatures(taps: Self.nothing)))
      state.header.visit += 1
      state.header.anchors += anchors.count
    }
    let weight = jobs.reduce(0) { $0 + $1.example.totalWeight }
    let scale = weight > 0 ? Float(1 / weight) : 0
    let (loss, norm) = try learn(from: jobs.count, rate: rate) { [jobs] pass, part in
      let job = jobs[part.lowerBound]
      return pass.forwardBackward(job.example, features: job.features, scale: scale)
    }
    return StepResult(loss: loss, weight: weight, gradientNorm: norm)
  }

  /// The blocks of a visit, masked and weighed as the stage wants it.
  private func example(_ tokens: [Token], _ anchors: [Int], blockSize: Int) -> DraftExample {
    let stage = stage(step: stepCount)
    var example = DraftExample(
      tokens: tokens, anchors: anchors, blockSize: blockSize,
      decay: options.objective.decay(blockSize: options.blockSize, isPublished: stage == nil),
      choices: model.target.choices)
    switch stage {
    case nil: break
    case .distillation:
      var random = KeyedRandom(seed: options.seed, key: "noise \(state.header.visit)")
      example.mask(from: tokens, by: options.stages, random: &random)
    case .refinement:
      example.weigh(DraftWeights.rising(blockSize: blockSize, alpha: options.stages.alpha))
    }
    return example
  }

  /// The anchors of a visit's blocks, ascending; views of one block share theirs.
  private func anchors(of response: Response, visit: Int) -> [Int] {
    let range = response.promptLength - 1..<response.tokens.count - 1
    let views = stage(step: stepCount) == .distillation ? options.stages.views : .single
    let share = options.stages.maskedShare
    let anchors = AnchorSampler.anchors(
      views.distinct(options.anchors, maskedShare: share), from: range, seed: options.seed,
      visit: visit)
    var random = KeyedRandom(seed: options.seed, key: "views \(visit)")
    return views.blocks(
      at: anchors, most: options.anchors, maskedShare: share, random: &random)
  }

  /// The stage of a step; nil for a conditioned drafter, which learns in one go.
  private func stage(step: Int) -> TokenStages.Stage? {
    options.tokenStages.map {
      step < options.steps - $0.refinementSteps ? .distillation : .refinement
    }
  }

  /// The rows of a step's blocks: every size the drafter is to serve comes up alike.
  private func blockSize(step: Int) -> Int {
    let all = model.configuration.shortestBlock...model.configuration.blockSize
    let most = options.tokenStages?.mostRows(of: all, step: step) ?? all.upperBound
    let sizes = all.lowerBound...most
    var random = KeyedRandom(seed: options.seed, key: "block \(step)")
    return sizes.lowerBound + Int(random.next() % UInt64(sizes.count))
  }

  private static let nothing = FloatBuffer(count: 0)

  /// The rows of the target's head for some tokens as f32, or for all: [rows][hidden].
  private static func head(
    _ target: CausalModel, _ weights: ModelWeights, rows: [Token]?
  ) throws -> FloatBuffer {
    let (vocabulary, hidden) = (
      target.configuration.vocabularySize, target.configuration.hiddenSize
    )
    let tokens = rows ?? (0..<Token(vocabulary)).map { $0 }
    let head = FloatBuffer(count: tokens.count * hidden)
    guard !target.configuration.tiesEmbeddings else {
      for (row, token) in tokens.enumerated() {
        target.embedding.copy(token, to: head.base + row * hidden)
      }
      return head
    }
    let whole = try weights.values(
      NamedShape(target.configuration.family.tensors.head, [vocabulary, hidden]))
    guard rows != nil else { return whole }
    for (row, token) in tokens.enumerated() {
      (head.base + row * hidden).update(from: whole.base + Int(token) * hidden, count: hidden)
    }
    return head
  }

  static func draftVocabulary(_ options: DistillOptions, counts: [Int]) throws -> [Token]? {
    guard case .drafter(let folder) = options.initialization else {
      return TargetRows.mostFrequent(options.draftVocabulary, counts: counts)
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

  /// Where first values come from.
  private static func origin(_ options: DistillOptions) -> URL? {
    switch options.initialization {
    case .random: nil
    case .drafter(let folder), .model(let folder): folder
    case .target, nil: options.target
    }
  }

  private static func initialize(
    _ model: DrafterTrainingModel, _ target: ModelConfiguration, _ weights: ModelWeights,
    _ options: DistillOptions
  ) throws {
    switch options.initialization {
    case .random: return
    case .drafter(let folder): try DrafterInitializer.copy(fromDrafter: folder, to: model)
    case .model(let folder):
      try DrafterInitializer.copy(
        from: ModelWeights(folder), ModelConfiguration(directory: folder), to: model)
    case nil where !DrafterInitializer.fits(target, model.configuration): return
    default: try DrafterInitializer.copy(from: weights, target, to: model)
    }
  }
}
