package import Files
package import Tensors

/// The sizes of a block-diffusion drafter and what it expects of its target.
///
/// The DFlash family (arXiv 2602.06036, docs/algorithms.md 3.1) and DEER (arXiv 2512.15176, 3.2), with optional
/// parts: heads (3.3), a draft vocabulary (3.4) and, our own, blocks of several sizes. Reading and writing
/// `config.json` is in `DrafterConfiguration+Reading.swift` and `+Writing.swift`.
package struct DrafterConfiguration: Sendable, Equatable {
  /// What the drafter sees of the text before a block.
  package var kind: DrafterKind
  /// Whether the drafter has an embedding, which is its head too, and borrows none from its target.
  package var ownsEmbedding: Bool
  /// Whether the drafter has a head, and borrows none from its target. Of a drafter that owns an embedding
  /// and no head, the embedding is the head too, unless it reads features.
  package var ownsHead = false
  /// Whether the anchor's row drafts too, every row foretelling the token behind its own, as DSpark has it
  /// (arXiv 2607.05147); else a mask's row foretells its own token, as DFlash has it.
  package var samplesAnchor = false
  /// Whether rows of a block see earlier rows alone, as JetSpec has it.
  package var isCausal = false
  /// How far each layer's rows look; empty where all look at everything, or all at earlier rows.
  package var reaches: [LayerReach] = []
  /// What mixes rows of a block around every layer's sublayers; nil for nothing.
  package var convolution: ConvolutionShape?
  /// What embedding and logits go through beside the layers.
  package var factors = DrafterFactors()
  /// Rows of a block, the anchor's included.
  package var blockSize: Int
  /// The fewest rows that the drafter was trained to fill a block with. A pass for few drafts computes
  /// no more rows than they and the anchor need, down to this many; `blockSize` means always all.
  package var shortestBlock: Int
  /// The token that stands for "to be drafted"; a row of the embedding.
  package var maskToken: Token
  /// The target's layers whose outputs are the context features, 0-based; empty for a drafter that sees
  /// tokens alone.
  package var targetLayers: [Int]
  /// How many layers the target has; 0 where that doesn't matter.
  package var targetLayerCount: Int
  package var vocabularySize: Int
  package var layerCount: Int
  /// The sizes of a layer; `hidden` is the target's unless the drafter owns an embedding.
  package var shape: LayerShape
  package var ropeTheta: Double
  package var ropeScaling: RopeScaling
  /// Greatest position plus one.
  package var maximumContext: Int
  /// How many tokens can be drafted; nil for the whole vocabulary.
  package var draftVocabularySize: Int?
  /// What works on a block's rows behind the layers.
  package var heads: DrafterHeads

  package init(
    blockSize: Int, maskToken: Token, targetLayers: [Int], targetLayerCount: Int,
    vocabularySize: Int, layerCount: Int, shape: LayerShape, ropeTheta: Double = 10_000,
    ropeScaling: RopeScaling = .none, maximumContext: Int, draftVocabularySize: Int? = nil,
    shortestBlock: Int? = nil, kind: DrafterKind = .conditioned, ownsEmbedding: Bool = false,
    heads: DrafterHeads = DrafterHeads()
  ) {
    self.kind = kind
    self.ownsEmbedding = ownsEmbedding
    self.blockSize = blockSize
    self.shortestBlock = shortestBlock ?? blockSize
    self.maskToken = maskToken
    self.targetLayers = targetLayers
    self.targetLayerCount = targetLayerCount
    self.vocabularySize = vocabularySize
    self.layerCount = layerCount
    self.shape = shape
    self.ropeTheta = ropeTheta
    self.ropeScaling = ropeScaling
    self.maximumContext = maximumContext
    self.draftVocabularySize = draftVocabularySize
    self.heads = heads
  }

  /// How a layer is made: as Qwen 3's.
  package func design(ofLayer index: Int) -> LayerDesign {
    var attention = AttentionOptions(
      rope: Rope(dimension: shape.headDimension, theta: ropeTheta, scaling: ropeScaling))
    attention.headNorms = .each
    attention.window = reach(ofLayer: index).window
    attention.hidesLater = reach(ofLayer: index).isCausal
    var design = LayerDesign(shape: shape, attention: attention)
    design.convolution = convolution
    return design
  }

  package func layout(ofLayer index: Int) -> LayerLayout {
    LayerLayout(design(ofLayer: index), prefix: "layers.\(index).")
  }

  /// Whether it is a DFlash 2 drafter, with convolutions, a candidate selector or both.
  package var isSecond: Bool {
    convolution != nil || heads.first(CandidateSelectorConfiguration.self) != nil
  }

  /// The rows of a pass that drafts `count` tokens. Rows that others don't see are left out.
  package func rows(drafting count: Int) -> Int {
    let least = samplesAnchor ? count : count + 1
    return isCausal ? least : max(least, shortestBlock)
  }

  /// The most tokens of a draft pass.
  package var maximumDrafts: Int { samplesAnchor ? blockSize : blockSize - 1 }

  package var choices: Int { draftVocabularySize ?? vocabularySize }

  /// The sizes besides the layers' that the time of a draft pass depends on.
  package var costs: [String] {
    ["blocks of \(shortestBlock)…\(blockSize)", "choices \(choices)"]
      + (convolution.map { ["convolutions of \($0.taps), groups of \($0.group)"] } ?? [])
      + heads.list.compactMap(\.cost)
  }

  /// The default choice of target layers for a drafter of `layers` layers: evenly spread, leaving
  /// out the last few, whose outputs are already shaped for the head.
  package static func defaultTargetLayers(layers: Int, targetLayers: Int) -> [Int] {
    guard layers > 1 else { return [targetLayers / 2] }
    return (0..<layers).map { index in
      let spread = Double(index) * Double(targetLayers - 4) / Double(layers - 1)
      return min(max(Int((1 + spread).rounded()), 0), targetLayers - 1)
    }
  }
}
