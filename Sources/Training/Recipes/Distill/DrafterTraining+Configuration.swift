import Drafter
import Files
import Foundation
import Tensors
import Verifier

extension DrafterTraining {
  /// Says whether the run can be, as far as that is known before there are responses.
  static func check(
    _ options: DistillOptions, _ target: ModelConfiguration, maskToken: Token
  ) throws {
    guard target.headBias == nil else {
      throw SpeculateError(
        "the target's head has a bias, which drafters and their training don't know: give another "
          + "target")
    }
    // The tokens aren't known yet, but how many there will be.
    let vocabulary = try draftVocabulary(
      options, counts: [Int](repeating: 0, count: target.vocabularySize))
    let drafter = try configuration(
      options, target, maskToken: maskToken, draftVocabulary: vocabulary)
    try DrafterInitializer.check(options.initialization, target, drafter)
    var answers = options.heldout.map { [$0] } ?? []
    if case .make(let wanted) = options.responses {
      try check(responses: wanted.count, options)
      answers.append(wanted)
    }
    for answer in answers {
      try check(length: answer.promptLengths.upperBound + answer.length, options, target)
    }
  }

  static func check(responses count: Int, _ options: DistillOptions) throws {
    guard count < options.sequences else { return }
    throw SpeculateError(
      "there are \(count) responses, fewer than the \(options.sequences) of a step: make more of them"
    )
  }

  /// - Parameter length: Tokens of the longest response, its prompt included.
  static func check(
    length: Int, _ options: DistillOptions, _ target: ModelConfiguration
  ) throws {
    guard length + options.blockSize > target.maximumContext else { return }
    throw SpeculateError(
      "responses of \(length) tokens with a block of \(options.blockSize) don't fit the target's "
        + "context of \(target.maximumContext): make shorter ones")
  }

  /// The drafter that the options describe.
  static func configuration(
    _ options: DistillOptions, _ target: ModelConfiguration, maskToken: Token,
    draftVocabulary: [Token]?
  ) throws -> DrafterConfiguration {
    let readsFeatures = options.kind.readsFeatures
    if !readsFeatures, options.heads.contains(where: { $0 is CandidateSelectorTraining }) {
      throw SpeculateError(
        "a drafter that sees tokens alone can't have a candidate selector: leave ‘selector rank’ out, or "
          + "give another ‘kind’")
    }
    let layers =
      options.targetLayers
      ?? DrafterConfiguration.defaultTargetLayers(
        layers: options.layerCount, targetLayers: target.layerCount)
    if let wrong = layers.first(where: { $0 < 0 || $0 >= target.layerCount }) {
      throw SpeculateError(
        "‘target layers’ names layer \(wrong), but the target has layers 0 to "
          + "\(target.layerCount - 1)")
    }
    let model = try initialModel(options, target)
    return DrafterConfiguration(
      blockSize: options.blockSize, maskToken: maskToken, targetLayers: readsFeatures ? layers : [],
      targetLayerCount: readsFeatures ? target.layerCount : 0,
      vocabularySize: target.vocabularySize, layerCount: options.layerCount,
      shape: try model?.layerShape ?? shape(options, target.layerShape),
      ropeTheta: (model ?? target).ropeTheta,
      maximumContext: min(target.maximumContext, model?.maximumContext ?? .max),
      draftVocabularySize: draftVocabulary?.count,
      shortestBlock: options.shortestBlock ?? (readsFeatures ? nil : 2), kind: options.kind,
      ownsEmbedding: options.ownsEmbedding || model != nil
        || options.width.map { $0 != target.hiddenSize } ?? false,
      heads: DrafterHeads(options.heads.map(\.configuration)))
  }

  /// The causal model that a drafter begins as; nil for another beginning.
  private static func initialModel(
    _ options: DistillOptions, _ target: ModelConfiguration
  ) throws -> ModelConfiguration? {
    guard case .model(let folder) = options.initialization else { return nil }
    guard !options.kind.readsFeatures else {
      throw SpeculateError(
        "‘init’ \(folder.path) is a causal model, which a drafter that reads its target's features can't begin "
          + "as: give a drafter, or ‘kind’ tokens")
    }
    let model = try ModelConfiguration(directory: folder)
    guard model.vocabularySize == target.vocabularySize else {
      throw SpeculateError(
        "‘init’ \(folder.path) has a vocabulary of \(model.vocabularySize), the target's is "
          + "\(target.vocabularySize): give a model of the target's tokenizer")
    }
    guard model.tiesEmbeddings else {
      throw SpeculateError(
        "‘init’ \(folder.path) has a head apart from its embedding, which a drafter that sees tokens has no "
          + "place for: give a model that ties both")
    }
    guard options.width == nil || options.width == model.hiddenSize else {
      throw SpeculateError(
        "‘width’ \(options.width ?? 0) is not that of ‘init’ \(folder.path), \(model.hiddenSize): leave it out"
      )
    }
    return model
  }

  /// The target's layers, or ones of another width with heads of the same width and a feed-forward part
  /// of the same proportion.
  private static func shape(_ options: DistillOptions, _ target: LayerShape) throws -> LayerShape {
    guard let width = options.width, width != target.hidden else { return target }
    guard width.isMultiple(of: target.headDimension) else {
      throw SpeculateError(
        "‘width’ \(width) is no multiple of the target's head width \(target.headDimension): give "
          + "one")
    }
    var shape = target
    shape.hidden = width
    shape.heads = width / target.headDimension
    while !shape.heads.isMultiple(of: shape.keyValueHeads) { shape.keyValueHeads -= 1 }
    shape.intermediate = max(1, width * target.intermediate / target.hidden)
    return shape
  }
}
