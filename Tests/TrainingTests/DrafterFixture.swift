import Drafter
import Files
import Foundation
import Tensors
import Training

/// A tiny drafter with lively weights, a random target, and a sequence with blocks of the shortest
/// size. A drafter with an embedding of its own is wider than its target.
struct DrafterFixture {
  let model: DrafterTrainingModel
  let head: FloatBuffer  // [vocabulary][hidden], all rows
  let tokens: [Token]
  let features: SequenceFeatures  // of all tokens
  var example: DraftExample
  let pass: DrafterPass

  static let vocabulary = 50
  static let hidden = 24

  init(
    anchors: [Int], length: Int, blockSize: Int = 5, layers: Int = 2, draftVocabulary: Int? = 30,
    markovRank: Int? = 6, shortestBlock: Int? = nil, objective: DraftObjective = DraftObjective(),
    confidence: ConfidenceHeadTraining? = nil, selector: CandidateSelectorTraining? = nil,
    kind: DrafterKind = .conditioned,
    ownsEmbedding: Bool = false, hasNoise: Bool = false, samplesAnchor: Bool = false,
    isCausal: Bool = false,
    seed: UInt64 = 3, precision: ProductPrecision = .f32
  ) {
    let seesTokens = kind == .tokens
    var random = KeyedRandom(seed: seed, key: "fixture")
    func values(_ count: Int, _ scale: Float) -> FloatBuffer {
      let buffer = FloatBuffer(count: count)
      for i in 0..<count { buffer.base[i] = (Float(random.uniform()) - 0.5) * 2 * scale }
      return buffer
    }
    var heads: [any HeadTraining] = []
    if let confidence { heads.append(confidence) }
    if let selector { heads.append(selector) }
    if let markovRank { heads.append(MarkovHeadTraining(rank: markovRank)) }
    var configuration = DrafterConfiguration(
      blockSize: blockSize, maskToken: 3, targetLayers: seesTokens ? [] : [0, 2],
      targetLayerCount: seesTokens ? 0 : 4, vocabularySize: Self.vocabulary, layerCount: layers,
      shape: LayerShape(
        hidden: ownsEmbedding ? 28 : Self.hidden, heads: 4, keyValueHeads: 2, headDimension: 8,
        intermediate: 40,
        normEpsilon: 1e-5),
      maximumContext: 1024, draftVocabularySize: draftVocabulary,
      shortestBlock: shortestBlock, kind: kind, ownsEmbedding: ownsEmbedding,
      heads: DrafterHeads(heads.map(\.configuration)))
    configuration.samplesAnchor = samplesAnchor
    configuration.isCausal = isCausal
    let embedding = values(Self.vocabulary * Self.hidden, 0.8)
    head = values(Self.vocabulary * Self.hidden, 0.4)
    let chosen = draftVocabulary.map { size in
      (0..<size).map { Token($0 * Self.vocabulary / size) }
    }
    let rows = FloatBuffer(count: (chosen?.count ?? Self.vocabulary) * Self.hidden)
    for row in 0..<rows.count / Self.hidden {
      (rows.base + row * Self.hidden).update(
        from: head.base + (chosen.map { Int($0[row]) } ?? row) * Self.hidden, count: Self.hidden)
    }
    model = DrafterTrainingModel(
      configuration,
      target: TargetRows(
        embedding: TokenEmbedding(
          embedding.base, vocabularySize: Self.vocabulary, width: Self.hidden, format: .f32),
        head: rows, draftVocabulary: chosen),
      objective: objective, heads: heads,
      seed: seed, precision: precision)
    // Larger than at the start of training, so that no gradient is near zero.
    for i in 0..<model.parameters.count {
      model.parameters.base[i] = model.parameters.base[i] * 6 + Float(random.uniform() - 0.5) * 0.3
    }
    for entry in model.layout.entries where entry.initialization == .ones {
      for i in entry.range { model.parameters.base[i] = 0.7 + Float(random.uniform()) * 0.6 }
    }
    // So that confidences are neither all alike nor all 1, however sure the drafts are.
    for entry in model.layout.entries where entry.name.hasPrefix("confidence_head.") {
      for i in entry.range { model.parameters.base[i] *= entry.shape.count > 1 ? 4 : 0.2 }
    }
    if ownsEmbedding {
      // Times six they still are small beside a target's rows.
      for i in model.layout.entries[0].range { model.parameters.base[i] *= 3 }
    }
    tokens = (0..<length).map { _ in Token(random.next() % UInt64(Self.vocabulary)) }
    features = SequenceFeatures(
      taps: values(length * 2 * Self.hidden, 1.5), states: values(length * Self.hidden, 2))
    var example = DraftExample(
      tokens: tokens, anchors: anchors, blockSize: shortestBlock ?? blockSize,
      samplesAnchor: samplesAnchor,
      decay: objective.rowWeights == .pace ? nil : 3,
      choices: model.target.choices)
    if hasNoise {
      example.addNoise(from: tokens, least: 0.3, maskedShare: 0.3, random: &random)
    }
    self.example = example
    pass = DrafterPass(
      model: model, maximumBlocks: anchors.count, maximumContext: length,
      rotary: RotaryLayer(width: 8, theta: 10_000, positions: length + blockSize))
  }

  /// Lets only those rows count that hardly change their most probable token.
  mutating func leaveOutTies() {
    let logits = pass.logits(example, features: features)
    let choices = model.configuration.choices
    for row in example.weights.indices {
      let sorted = logits[row * choices..<(row + 1) * choices].sorted(by: >)
      if sorted[0] - sorted[1] < 0.5 { example.weights[row] = 0 }
    }
  }
}
