import Files
public import Foundation
public import Tensors

extension BlockDrafter {
  /// Loads a drafter folder: `config.json` and safetensors.
  ///
  /// - Parameter format: How to hold the matrices; `nil` is f32 for files in f32 and int8 for others.
  ///   A drafter's pass is short and waits for memory, and what it proposes is checked anyway.
  /// - Throws: `SpeculateError` when a file is missing or damaged, or when weights and configuration
  ///   disagree.
  public convenience init(directory: URL, format: WeightFormat? = nil) throws {
    let configuration = try DrafterConfiguration(directory: directory)
    let checkpoint = try Checkpoint(directory: directory)
    let source = CheckpointSource(checkpoint, path: directory.path)
    let stored = configuration.layout(ofLayer: 0)[.query].flatMap { checkpoint.info($0.name)?.type }
    let vocabulary = try configuration.draftVocabularySize.map { size in
      try Self.draftVocabulary(
        source.integers(Self.vocabularyName, count: size), of: configuration.vocabularySize,
        path: directory.path)
    }
    try self.init(
      configuration, format: format ?? (stored == .f32 ? .f32 : .int8),
      draftVocabulary: vocabulary, source: source)
    try source.finish { _ in false }
  }

  /// Makes a drafter of random weights, the same for the same seed.
  ///
  /// A draft vocabulary, where the configuration has one, is spread evenly over the whole.
  public convenience init(
    random configuration: DrafterConfiguration, seed: UInt64, format: WeightFormat = .f32
  ) {
    let vocabulary = configuration.draftVocabularySize.map { size in
      (0..<size).map { Token($0 * configuration.vocabularySize / size) }
    }
    // A random source has every tensor, so nothing can be missing.
    do {
      try self.init(
        configuration, format: format, draftVocabulary: vocabulary, source: RandomSource(seed: seed)
      )
    } catch {
      preconditionFailure("random weights can't be missing: \(error)")
    }
  }

  /// The tensor that maps the draft vocabulary: entry `i` is the token of draft index `i` less `i`,
  /// as EAGLE-3 checkpoints store it.
  public static var vocabularyName: String { "d2t" }

  /// The tensor of a drafter's own embedding.
  public static var embeddingName: String { "embed_tokens.weight" }

  private convenience init(
    _ c: DrafterConfiguration, format: WeightFormat, draftVocabulary: [Token]?,
    source: any WeightSource
  ) throws {
    let hidden = c.shape.hidden
    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> PackedMatrix {
      try source.matrix(name, rows: rows, columns: columns, format: format)
    }
    let fusion =
      c.kind == .tokens
      ? nil
      : FeatureFusion(
        matrix: try matrix("fc.weight", hidden, c.targetLayers.count * hidden),
        norm: try source.values("hidden_norm.weight", [hidden]))
    let markov = try c.markovRank.map { rank in
      MarkovHead(
        embedding: TokenEmbedding(
          try source.values("markov_head.markov_w1.weight", [c.vocabularySize, rank]),
          vocabularySize: c.vocabularySize, width: rank, format: format),
        projection: try matrix("markov_head.markov_w2.weight", c.choices, rank))
    }
    self.init(
      configuration: c, format: format, draftVocabulary: draftVocabulary,
      fusion: fusion,
      vocabulary: c.ownsEmbedding
        ? try Self.ownVocabulary(
          c, format: format, draftVocabulary: draftVocabulary, source: source)
        : nil,
      layers: try (0..<c.layerCount).map {
        try DecoderLayer(source, layout: c.layout(ofLayer: $0), format: format)
      },
      finalNorm: try source.values("norm.weight", [hidden]), markov: markov,
      confidence: c.hasConfidenceHead
        ? try ConfidenceHead(source, width: hidden + (c.markovRank ?? 0)) : nil)
  }

  /// The embedding, and its rows of the draft vocabulary as the head.
  private static func ownVocabulary(
    _ c: DrafterConfiguration, format: WeightFormat, draftVocabulary: [Token]?,
    source: any WeightSource
  ) throws -> OwnVocabulary {
    let (size, hidden) = (c.vocabularySize, c.shape.hidden)
    let whole = try source.matrix(Self.embeddingName, rows: size, columns: hidden, format: format)
    return OwnVocabulary(
      embedding: try source.embedding(
        Self.embeddingName, vocabularySize: size, width: hidden, format: format),
      head: draftVocabulary.map { whole.selecting(rows: $0.map(Int.init)) } ?? whole)
  }

  private static func draftVocabulary(
    _ offsets: [Int], of vocabulary: Int, path: String
  ) throws -> [Token] {
    var tokens: [Token] = []
    for (index, offset) in offsets.enumerated() {
      let (token, overflow) = index.addingReportingOverflow(offset)
      guard !overflow, (0..<vocabulary).contains(token), token > Int(tokens.last ?? -1) else {
        throw SpeculateError(
          "\(path): tensor '\(vocabularyName)' entry \(index) is no ascending token below "
            + "\(vocabulary); the drafter is damaged, copy it again")
      }
      tokens.append(Token(token))
    }
    return tokens
  }
}
