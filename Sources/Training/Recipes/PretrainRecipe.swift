import Files
import Foundation
import Synchronization
package import Tensors
import Text
import Verifier

/// Trains a causal model of the Qwen3 architecture on a token stream.
///
/// A step's sequences are shared among the workers; each runs whole forward and backward passes on
/// its own, and the gradients are added in a fixed order. A run that is interrupted and resumed
/// gives bit for bit the parameters of one that was not, with the same number of threads.
public final class PretrainRecipe: Trainable {
  private let options: PretrainOptions
  private let configuration: ModelConfiguration  // of the exported model
  private let model: CausalTrainingModel
  private let optimizer: AdamW
  /// The threads that take a step.
  package let workers: Workers
  private let passes: [CausalPass]
  private let training: TokenStream
  private let heldout: TokenStream?
  private var sampler: WindowSampler
  private var header: PretrainHeader
  private let inputs: TokenWindows
  /// Steps taken.
  package var stepCount: Int { header.step }
  /// Steps taken before this session; more than 0 when a checkpoint was found.
  public let resumedStep: Int
  /// What the factors of matrix products are rounded to.
  public let precision: ProductPrecision

  /// The number of parameters.
  public var parameterCount: Int { model.layout.count }

  private var checkpointURL: URL { options.output.trainingCheckpoint }

  /// Opens the data, and the checkpoint in the output folder if there is one.
  ///
  /// - Throws: When sizes or files don't fit.
  public init(_ options: PretrainOptions) throws {
    if let complaint = options.architecture.complaint { throw SpeculateError(complaint) }
    self.options = options
    configuration = try Self.configuration(options)
    try OutputFolder.make(options.output)
    let vocabulary = options.architecture.vocabularySize
    training = try TokenStream(contentsOf: options.trainingTokens, vocabularySize: vocabulary)
    heldout = try options.heldoutTokens.map {
      try TokenStream(contentsOf: $0, vocabularySize: vocabulary)
    }
    sampler = try Self.sampler(training, options.trainingTokens, options)
    let fingerprint = try FileFingerprint.of(options.trainingTokens)

    let url = options.output.trainingCheckpoint
    let saved =
      FileManager.default.fileExists(atPath: url.path)
      ? try Self.open(url) : nil
    precision = try ProductPrecision.ofRun(
      options.precision, checkpoint: saved.map { (url, $0.header.precision) })
    model = CausalTrainingModel(
      options.architecture, seed: options.seed, precision: precision)
    optimizer = AdamW(
      options.optimizer, layout: model.layout, stepCount: saved?.header.step ?? 0)
    if let saved {
      guard saved.header.architecture == options.architecture else {
        throw SpeculateError(
          "\(url.path) was made with other sizes: give the same flags or another --output")
      }
      guard saved.header.seed == options.seed else {
        throw SpeculateError(
          "\(url.path) was made with --seed \(saved.header.seed): give it again or another "
            + "--output")
      }
      guard saved.header.trainingTokens ?? fingerprint == fingerprint else {
        throw SpeculateError(
          "\(url.path) was made with other training text or another tokenizer: give the same "
            + "again or another --output")
      }
      try saved.restore(
        model.layout, parameters: model.parameters, first: optimizer.first,
        second: optimizer.second)
      header = saved.header
      header.threads = options.threads
    } else {
      try Self.initialize(model, options)
      header = PretrainHeader(
        architecture: options.architecture, step: 0, window: options.skippedWindows, tokens: 0,
        seconds: 0, seed: options.seed, threads: options.threads)
    }
    header.precision = precision
    header.trainingTokens = fingerprint
    resumedStep = header.step
    let threads = min(options.threads, options.sequences)
    workers = Workers(count: threads)
    let micro = min(options.microSequences, (options.sequences + threads - 1) / threads)
    let rotary = RotaryLayer(
      width: options.architecture.headDimension, theta: options.architecture.ropeTheta,
      positions: options.length)
    passes = (0..<workers.count).map { [model] _ in
      CausalPass(model: model, sequences: micro, length: options.length, rotary: rotary)
    }
    inputs = TokenWindows(count: max(options.sequences, 1), length: options.length)
  }

  /// Runs until the last step or until `shouldStop` says so, then writes checkpoint and model.
  ///
  /// - Parameters:
  ///   - shouldStop: Asked after every step.
  ///   - report: Told how far the run is, every `logEvery` steps.
  /// - Returns: Whether all steps are done.
  @discardableResult
  public func run(
    shouldStop: () -> Bool, report: (TrainingProgress) -> Void
  ) throws -> Bool {
    let log = try MetricsLog(folder: options.output, step: header.step)
    let loop = TrainingLoop(
      schedule: StagedSchedule([
        CosineSchedule(
          peak: options.learningRate, floorShare: options.floorShare,
          warmupSteps: options.warmupSteps, steps: options.steps)
      ]),
      logEvery: options.logEvery, evaluateEvery: heldout == nil ? nil : options.evaluateEvery,
      checkpointSeconds: options.checkpointSeconds, checkpoint: checkpointURL)
    return try loop.run(self, log: log, shouldStop: shouldStop, report: report)
  }

  /// Describes an interval of steps.
  package func progress(_ interval: TrainingInterval, evaluates: Bool) -> TrainingProgress {
    header.seconds += interval.seconds
    if evaluates { header.heldoutLoss = evaluate() }
    return TrainingProgress(
      step: header.step, steps: options.steps, tokens: header.tokens, loss: interval.loss,
      rate: interval.rate, gradientNorm: interval.gradientNorm,
      tokensPerSecond: Double(interval.steps * options.sequences * options.length)
        / interval.seconds,
      seconds: header.seconds, heldoutLoss: evaluates ? header.heldoutLoss : nil)
  }

  /// Writes the checkpoint and the exported model.
  public func save() throws {
    try TrainingCheckpoint.write(
      header, layout: model.layout, parameters: model.parameters, first: optimizer.first,
      second: optimizer.second, to: checkpointURL)
    try ModelExport.write(
      model, configuration: configuration, tokenizer: options.tokenizer, to: options.output)
  }

  /// Takes one optimizer step.
  package func step(rate: Float) -> StepResult {
    for sequence in 0..<options.sequences {
      inputs.fill(sequence, from: training, start: sampler.start(ofWindow: header.window))
      header.window += 1
    }
    let scale = 1 / Float(options.sequences * options.length)
    let loss = shared(options.sequences, clears: true) { pass, first, count in
      pass.forwardBackward(
        inputs: self.inputs.inputs(first), targets: self.inputs.targets(first), count: count,
        scale: scale)
    }
    let norm = GradientSum.reduce(passes.map(\.gradients), workers: workers)
    let clipping = norm > Double(options.clip) ? options.clip / Float(norm) : 1
    optimizer.step(
      parameters: model.parameters, gradients: passes[0].gradients, gradientScale: clipping,
      rate: rate, workers: workers)
    header.step += 1
    header.tokens += options.sequences * options.length
    return StepResult(
      loss: loss, weight: Double(options.sequences * options.length), gradientNorm: norm)
  }

  /// The mean loss over evenly spaced held-out windows.
  private func evaluate() -> Double {
    guard let heldout else { return .nan }
    let length = options.length
    let available = (heldout.count - 1) / length
    let windows = min(options.evaluationWindows, available)
    var total = 0.0
    for first in stride(from: 0, to: windows, by: options.sequences) {
      let count = min(options.sequences, windows - first)
      for i in 0..<count {
        inputs.fill(i, from: heldout, start: (first + i) * available / windows * length)
      }
      total += shared(count, clears: false) { pass, first, count in
        pass.loss(
          inputs: self.inputs.inputs(first), targets: self.inputs.targets(first), count: count)
      }
    }
    return total / Double(windows * length)
  }

  /// Shares sequences among the workers, each working through its own a few at a time; returns the
  /// sum of what `body` returns, in a fixed order.
  private func shared(
    _ sequences: Int, clears: Bool,
    _ body: (_ pass: CausalPass, _ first: Int, _ count: Int) -> Double
  ) -> Double {
    let sums = Mutex([Double](repeating: 0, count: workers.count))
    withoutActuallyEscaping(body) { body in
      let job = Job(passes: passes, body: body)
      workers.run { [count = workers.count] worker in
        let pass = job.passes[worker]
        if clears { pass.clearGradients() }
        var sum = 0.0
        var part = (0..<sequences).share(of: worker, among: count)
        while !part.isEmpty {
          let piece = part.prefix(pass.sequences)
          sum += job.body(pass, piece.lowerBound, piece.count)
          part = piece.upperBound..<part.upperBound
        }
        sums.withLock { $0[worker] = sum }
      }
    }
    return sums.withLock { $0.reduce(0, +) }
  }

  private struct Job: @unchecked Sendable {
    // Unchecked: each worker calls `body` with its own pass and reads shared token buffers.
    let passes: [CausalPass]
    let body: (CausalPass, Int, Int) -> Double
  }

  /// What the exported model's `config.json` is to say.
  private static func configuration(_ options: PretrainOptions) throws -> ModelConfiguration {
    var configuration = options.architecture.configuration(type: options.exportType)
    if let url = options.tokenizer {
      let tokenizer = try SentencePieceTokenizer(file: url)
      guard tokenizer.vocabularySize <= options.architecture.vocabularySize else {
        throw SpeculateError(
          "\(url.path) has \(tokenizer.vocabularySize) tokens, more than the model's "
            + "\(options.architecture.vocabularySize): give --vocabulary "
            + "\(tokenizer.vocabularySize)")
      }
      configuration.beginToken = tokenizer.beginToken
      configuration.endTokens = tokenizer.endTokens
    }
    try configuration.check()
    return configuration
  }

  private static func sampler(
    _ tokens: TokenStream, _ url: URL, _ options: PretrainOptions
  ) throws -> WindowSampler {
    guard
      let sampler = WindowSampler(
        tokens: tokens.count, length: options.length, seed: options.seed)
    else {
      throw SpeculateError(
        "\(url.path) has \(tokens.count) tokens, too few for sequences of \(options.length): give "
          + "more text or a smaller --length")
    }
    return sampler
  }

  private static func open(_ url: URL) throws -> TrainingCheckpoint<PretrainHeader> {
    let saved = try TrainingCheckpoint<PretrainHeader>(contentsOf: url)
    guard saved.header.isPlausible else {
      throw SpeculateError(
        "\(url.path) isn't the checkpoint of a pretraining run: delete it and start again")
    }
    return saved
  }

  /// Copies the first parameters from another run, if one is given.
  private static func initialize(_ model: CausalTrainingModel, _ options: PretrainOptions) throws {
    guard let folder = options.initialModel else { return }
    let url = folder.trainingCheckpoint
    let saved = try open(url)
    var expected = saved.header.architecture
    if options.growth != nil { expected.layerCount = options.architecture.layerCount }
    guard expected == options.architecture else {
      throw SpeculateError(
        options.growth != nil
          ? "\(url.path) differs in more than its layers: give the same sizes"
          : "\(url.path) has other sizes: give the same flags, or --grow to add layers")
    }
    guard options.architecture.layerCount >= saved.header.architecture.layerCount else {
      throw SpeculateError(
        "\(url.path) has \(saved.header.architecture.layerCount) layers: give --layers of at least "
          + "as many")
    }
    try (options.growth ?? .stack).copy(from: saved, to: model)
  }
}
