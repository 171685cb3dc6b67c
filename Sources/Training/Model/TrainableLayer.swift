import Tensors

/// One pre-norm decoder layer in training: attention with normed heads, then a gated feed-forward part.
///
/// Holds where the layer's tensors lie and how its pieces fit together; activations are in
/// ``TrainableLayerState``, values in the flat parameters.
package struct TrainableLayer: Sendable {
  let inputNorm: RMSNormLayer
  let queryKeyValue: LinearLayer
  let queryNorm: RMSNormLayer
  let keyNorm: RMSNormLayer
  let attention: CausalAttention
  let output: LinearLayer
  let middleNorm: RMSNormLayer
  let gateUp: LinearLayer
  let down: LinearLayer

  var hidden: Int { output.outputs }
  /// Where its first tensor lies; the others follow.
  var offset: Int { inputNorm.offset }
  var headWidth: Int { attention.tile.width }
  var queryKeyWidth: Int { (attention.heads + attention.keyValueHeads) * headWidth }
  var queryKeyValueWidth: Int { queryKeyValue.outputs }

  /// The part of q, k and v that a drafter's context goes through: k and v alone.
  var keyValue: LinearLayer {
    let queryWidth = attention.heads * headWidth
    return LinearLayer(
      offset: queryKeyValue.offset + queryWidth * hidden, inputs: hidden,
      outputs: queryKeyValueWidth - queryWidth, product: queryKeyValue.product)
  }
  var keyWidth: Int { attention.keyValueHeads * headWidth }

  /// Appends the layer's tensors to `parameters`.
  ///
  /// - Parameter depth: How many layers the model has.
  init(
    _ layout: LayerLayout, depth: Int, precision: ProductPrecision,
    parameters: inout ParameterLayout
  ) {
    let design = layout.design
    precondition(design.untrainable.isEmpty, "a layer that can't be trained here")
    // Residual outputs are scaled down so that the stream's variance doesn't grow with depth (GPT-2).
    let residual = Float(2 * depth).squareRoot()
    var offsets: [LayerTensor: Int] = [:]
    for (role, tensor) in layout.tensors {
      let initialization: Initialization =
        switch role {
        case .output, .down: .normal(deviation: 0.02 / residual)
        case _ where tensor.shape.count == 1: .ones
        default: .normal(deviation: 0.02)
        }
      offsets[role] = parameters.add(tensor, initialization: initialization)
    }
    func offset(_ role: LayerTensor) -> Int {
      guard let offset = offsets[role] else { preconditionFailure("a layer lacks its \(role)") }
      return offset
    }
    let product = MatrixProduct(precision)
    let shape = design.shape
    let (hidden, width, epsilon) = (shape.hidden, shape.headDimension, shape.normEpsilon)
    func norm(_ role: LayerTensor, width: Int, groups: Int = 1) -> RMSNormLayer {
      RMSNormLayer(offset: offset(role), width: width, groups: groups, epsilon: epsilon)
    }
    func linear(_ role: LayerTensor, inputs: Int, outputs: Int) -> LinearLayer {
      LinearLayer(offset: offset(role), inputs: inputs, outputs: outputs, product: product)
    }
    inputNorm = norm(.mixerNorm, width: hidden)
    // q, k and v side by side are one matrix, and so are gate and up.
    queryKeyValue = linear(
      .query, inputs: hidden, outputs: (shape.heads + 2 * shape.keyValueHeads) * width)
    queryNorm = norm(.queryNorm, width: width, groups: shape.heads)
    keyNorm = norm(.keyNorm, width: width, groups: shape.keyValueHeads)
    attention = CausalAttention(
      heads: shape.heads, keyValueHeads: shape.keyValueHeads, width: width, product: product)
    output = linear(.output, inputs: shape.heads * width, outputs: hidden)
    middleNorm = norm(.feedForwardNorm, width: hidden)
    gateUp = linear(.gate, inputs: hidden, outputs: 2 * shape.intermediate)
    down = linear(.down, inputs: shape.intermediate, outputs: hidden)
  }
}

extension LayerDesign {
  /// What training here has no backward pass for, in words.
  var untrainable: [String] {
    let isWhole = attention.rope.dimension == shape.headDimension
    let isPlainNorm =
      norm == NormDesign() && attention.headNorm == NormDesign() && attention.headNorms != .eachOwn
    let isNormedBefore = mixerNorms == .before && feedForwardNorms == .before
    let obstacles: [(Bool, String)] = [
      (attention.headNorms == .none, "no norms of query and key heads"),
      (attention.headNorms == .together, "norms over all query and key heads together"),
      (!isPlainNorm, "other norms than RMSNorm with one scale a column"),
      (feedForward.activation != .silu, "another activation than SiLU"),
      (attention.inputBias, "biases in attention"),
      (attention.outputBias, "a bias on attention's output"),
      (feedForward.bias, "biases in the feed-forward part"),
      (feedForward.kind == .plain, "a feed-forward part without a gate"),
      (feedForward.kind.hasExperts, "a mixture of experts"),
      (flow != .sequential, "attention and feed-forward part beside one another"),
      (attention.window != nil, "a sliding window"),
      (convolution != nil, "convolutions over blocks"),
      (attention.rope.scaling != .none, "stretched rotary angles"),
      (attention.rope.pairs != .halves, "rotated pairs of neighbours"),
      (attention.rope.dimension == 0, "layers without rotary angles"),
      (!isWhole, "heads that are rotated in part"),
      (attention.scale != nil, "a scale of its own in attention"),
      (attention.cap != nil, "soft-capped attention"),
      (attention.sinks, "attention sinks"),
      (attention.clip != nil, "clipped queries, keys and values"),
      (residualScale != 1, "scaled residuals"),
      (!isNormedBefore, "norms after attention or feed-forward"),
    ]
    return obstacles.filter(\.0).map(\.1)
  }
}

/// What one decoder layer keeps of its forward pass for its backward pass.
final class TrainableLayerState {
  let input: FloatBuffer  // [rows][hidden], the residual stream before the layer
  let inputNormed: FloatBuffer  // [rows][hidden]
  let inputInverse: FloatBuffer  // [rows]
  let queryKeyValue: FloatBuffer  // [rows][q, k, v], before the head norms
  let queryInverse: FloatBuffer  // [rows][heads]
  let keyInverse: FloatBuffer  // [rows][key/value heads]
  let queryKey: FloatBuffer  // [rows][q, k], normed and rotated
  let probabilities: FloatBuffer  // as the attention lays them out
  let attended: FloatBuffer  // [rows][heads × width]
  let middle: FloatBuffer  // [rows][hidden], the residual stream after attention
  let middleNormed: FloatBuffer  // [rows][hidden]
  let middleInverse: FloatBuffer  // [rows]
  let gateUp: FloatBuffer  // [rows][gate, up]
  let activated: FloatBuffer  // [rows][intermediate]

  init(_ shape: TrainableLayer, rows: Int, probabilities count: Int) {
    input = FloatBuffer(count: rows * shape.hidden)
    inputNormed = FloatBuffer(count: rows * shape.hidden)
    inputInverse = FloatBuffer(count: rows)
    queryKeyValue = FloatBuffer(count: rows * shape.queryKeyValueWidth)
    queryInverse = FloatBuffer(count: rows * shape.attention.heads)
    keyInverse = FloatBuffer(count: rows * shape.attention.keyValueHeads)
    queryKey = FloatBuffer(count: rows * shape.queryKeyWidth)
    probabilities = FloatBuffer(count: count)
    attended = FloatBuffer(count: rows * shape.output.inputs)
    middle = FloatBuffer(count: rows * shape.hidden)
    middleNormed = FloatBuffer(count: rows * shape.hidden)
    middleInverse = FloatBuffer(count: rows)
    gateUp = FloatBuffer(count: rows * shape.gateUp.outputs)
    activated = FloatBuffer(count: rows * shape.down.inputs)
  }
}

/// Gradients that live only while one layer's backward pass runs; shared by all layers.
final class TrainableLayerScratch {
  let activated: FloatBuffer  // [rows][intermediate]
  let gateUp: FloatBuffer  // [rows][gate, up]
  let normed: FloatBuffer  // [rows][hidden]
  let attended: FloatBuffer  // [rows][heads × width]
  let queryKeyValue: FloatBuffer  // [rows][q, k, v]
  let scores: FloatBuffer  // [tile rows][columns]
  let dots: FloatBuffer  // [tile rows]

  init(_ shape: TrainableLayer, rows: Int, columns: Int, tileRows: Int = CausalAttention.tileRows) {
    activated = FloatBuffer(count: rows * shape.down.inputs)
    gateUp = FloatBuffer(count: rows * shape.gateUp.outputs)
    normed = FloatBuffer(count: rows * shape.hidden)
    attended = FloatBuffer(count: rows * shape.output.inputs)
    queryKeyValue = FloatBuffer(count: rows * shape.queryKeyValueWidth)
    scores = FloatBuffer(count: tileRows * columns)
    dots = FloatBuffer(count: tileRows)
  }
}
