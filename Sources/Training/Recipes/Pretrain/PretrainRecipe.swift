package import Files
import Foundation
import Tensors
import Text
import Verifier

/// Trains a causal model of the Qwen3 architecture on a token stream.
///
/// A step's sequences are shared among lanes; workers run whole forward and backward passes for them,
/// and the lanes' gradients are added in a fixed order. A run that is interrupted and resumed gives bit for
/// bit the parameters of one that was not.
package final class PretrainRecipe: TrainingRecipe {
  package let state: Run<PretrainPosition, CausalTrainingModel>
  package let optimization: Optimization<CausalPass>
  private let options: PretrainOptions
  private let claim: OutputClaim?  // of the rank that writes
  private let configuration: ModelConfiguration  // of the exported model
  private let training: TokenStream
  private let heldout: TokenStream?
  private var sampler: WindowSampler
  private let inputs: TokenWindows

  package var hasHeldout: Bool { heldout != nil }
  package var measuresTogether: Bool { true }

  /// Opens the data, and the checkpoint in the output folder if there is one.
  ///
  /// The output folder is claimed unless that was done before.
  package convenience init(_ options: PretrainOptions) throws {
    try self.init(options) { try $0.claim() }
  }

  /// - Parameter claim: Claims the output folder once all else is known to be right, or hands on the claim
  ///   that was made before.
  package init(
    _ options: PretrainOptions, claim: (PretrainOptions) throws -> OutputClaim?
  ) throws {
    try Self.check(options)
    let architecture = options.architecture
    self.options = options
    configuration = try Self.configuration(options)
    func stream(_ url: URL) throws -> TokenStream {
      try TokenStream(contentsOf: url, vocabularySize: architecture.vocabularySize)
    }
    training = try stream(options.trainingTokens)
    heldout = try options.heldoutTokens.map(stream)
    sampler = try Self.sampler(training, options.documents ?? options.trainingTokens, options)
    if let heldout, heldout.count <= options.length {
      let name = (options.heldoutDocuments ?? options.heldoutTokens)?.path ?? ""
      throw SpeculateError(
        "the held-out text \(name) has \(heldout.count) tokens, too few for sequences of \(options.length): "
          + "give more of it or a smaller ‘length’")
    }
    let fingerprint = try FileFingerprint.of(options.trainingTokens)
    self.claim = try claim(options)
    state = try Run(
      options.run,
      from: PretrainPosition(
        architecture: architecture, window: options.skippedWindows, trainingTokens: fingerprint),
      hasIdleLanes: false, origin: options.initialModel,
      model: { CausalTrainingModel(architecture, seed: options.seed, precision: $0) },
      initialize: { model in
        if let initial = try Self.initialModel(options) {
          try (options.growth ?? .stack).copy(from: initial, to: model)
        }
      })
    state.header.trainingTokens = fingerprint
    let threads = min(options.threads, state.exchange.lanes.count)
    let lanes = state.exchange.laneCount
    let micro = min(options.microSequences, (options.sequences + lanes - 1) / lanes)
    let rotary = RotaryLayer(
      width: architecture.headDimension, theta: architecture.ropeTheta, positions: options.length)
    let workers = Workers(count: threads, refuses: true)
    guard workers.count == threads else {
      throw SpeculateError("the system grants \(workers.count) threads; give as many ‘threads’")
    }
    optimization = Optimization(of: state, workers: workers) {
      [model = state.model] in
      CausalPass(model: model, sequences: micro, length: options.length, rotary: rotary)
    }
    inputs = TokenWindows(count: max(options.sequences, 1), length: options.length)
  }

  package func figures(_ interval: TrainingInterval) -> PretrainFigures {
    PretrainFigures(
      tokens: state.header.tokens,
      tokensPerSecond: Double(interval.steps * options.sequences * options.length)
        / interval.seconds)
  }

  package func measure(into figures: inout PretrainFigures) throws -> Bool {
    do { state.header.heldoutLoss = try evaluate() } catch is Stopped { return false }
    figures.heldoutLoss = state.header.heldoutLoss
    return true
  }

  package func export() throws {
    try ModelExport.write(
      state.model, configuration: configuration, tokenizer: options.tokenizer, to: options.output)
  }

  package func step(rate: Float) throws -> StepResult {
    let sequences = options.sequences
    for sequence in 0..<sequences {
      inputs.fill(sequence, from: training, start: sampler.start(ofWindow: state.header.window))
      state.header.window += 1
    }
    let tokens = sequences * options.length
    let (loss, norm) = try learn(from: sequences, rate: rate) { [inputs] pass, part in
      pass.forwardBackward(
        inputs: inputs.inputs(part.lowerBound), targets: inputs.targets(part.lowerBound),
        count: part.count, scale: 1 / Float(tokens))
    }
    state.header.tokens += tokens
    return StepResult(loss: loss, weight: Double(tokens), gradientNorm: norm)
  }

  /// The mean loss over evenly spaced held-out windows.
  private func evaluate() throws -> Double {
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
      total += try optimization.sum(count) { [inputs] pass, part in
        pass.loss(
          inputs: inputs.inputs(part.lowerBound), targets: inputs.targets(part.lowerBound),
          count: part.count)
      }
    }
    return total / Double(windows * length)
  }

  /// Says whether the run can be, as far as that is known before there are tokens.
  package static func check(_ options: PretrainOptions) throws {
    if let complaint = options.architecture.complaint { throw SpeculateError(complaint) }
    _ = try configuration(options)
    // A run that goes on has its parameters.
    guard !FileManager.default.fileExists(atPath: options.output.trainingCheckpoint.path) else {
      return
    }
    _ = try initialModel(options)
  }

  /// What the exported model's `config.json` is to say.
  private static func configuration(_ options: PretrainOptions) throws -> ModelConfiguration {
    var configuration = options.architecture.configuration(type: options.exportType)
    if let url = options.tokenizer {
      let tokenizer = try SentencePieceTokenizer(file: url)
      guard tokenizer.vocabularySize <= options.architecture.vocabularySize else {
        throw SpeculateError(
          "\(url.path) has \(tokenizer.vocabularySize) tokens, more than the model's "
            + "\(options.architecture.vocabularySize): give ‘vocabulary’ "
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
      let sampler = WindowSampler(tokens: tokens.count, length: options.length, seed: options.seed)
    else {
      throw SpeculateError(
        "\(url.path) has \(tokens.count) tokens, too few for sequences of \(options.length): give "
          + "more text or a smaller ‘length’")
    }
    return sampler
  }

  /// What first parameters are copied from, if anything is given.
  private static func initialModel(_ options: PretrainOptions) throws -> InitialModel? {
    guard let url = options.initialModel else { return nil }
    let model = try InitialModel(url)
    var expected = model.architecture
    if options.growth != nil { expected.layerCount = options.architecture.layerCount }
    guard expected == options.architecture else {
      throw SpeculateError(
        options.growth != nil
          ? "\(model.path) differs in more than its layers: give the same sizes"
          : "\(model.path) has other sizes: give the same settings, or ‘grow’ to add layers")
    }
    guard options.architecture.layerCount >= model.architecture.layerCount else {
      throw SpeculateError(
        "\(model.path) has \(model.architecture.layerCount) layers: give ‘layers’ of at least as many"
      )
    }
    return model
  }
}
