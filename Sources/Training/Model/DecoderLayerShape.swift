/// One pre-norm decoder layer: attention with normed heads, then a gated feed-forward part.
///
/// Holds where the layer's tensors lie and how its pieces fit together; activations are in
/// ``DecoderLayerState``, values in the flat parameters.
public struct DecoderLayerShape: Sendable {
  let inputNorm: RMSNormLayer
  let queryKeyValue: LinearLayer
  let queryNorm: RMSNormLayer
  let keyNorm: RMSNormLayer
  let attention: CausalAttention
  let output: LinearLayer
  let middleNorm: RMSNormLayer
  let gateUp: LinearLayer
  let activation: GatedActivation
  let down: LinearLayer

  var hidden: Int { output.outputs }
  var headWidth: Int { attention.tile.width }
  /// Values of q and k of one row.
  var queryKeyWidth: Int { (attention.heads + attention.keyValueHeads) * headWidth }
  /// Values of q, k and v of one row.
  var queryKeyValueWidth: Int { queryKeyValue.outputs }

  /// The part of q, k and v that a drafter's context goes through: k and v alone.
  var keyValue: LinearLayer {
    let queryWidth = attention.heads * headWidth
    return LinearLayer(
      offset: queryKeyValue.offset + queryWidth * hidden, inputs: hidden,
      outputs: queryKeyValueWidth - queryWidth, product: queryKeyValue.product)
  }
  /// Values of k of one row.
  var keyWidth: Int { attention.keyValueHeads * headWidth }

  /// Appends the layer's tensors to `layout` under Hugging Face names behind `prefix`.
  init(
    _ architecture: CausalArchitecture, precision: ProductPrecision, prefix: String,
    layout: inout ParameterLayout
  ) {
    let product = MatrixProduct(precision)
    let hidden = architecture.hiddenSize
    let width = architecture.headDimension
    let queryWidth = architecture.headCount * width
    let keyValueWidth = architecture.keyValueHeadCount * width
    let intermediate = architecture.intermediateSize
    let epsilon = architecture.normEpsilon
    let inner = Initialization.normal(deviation: 0.02)
    // Residual outputs are scaled down so that the stream's variance doesn't grow with depth (GPT-2).
    let residual = Initialization.normal(
      deviation: 0.02 / Float(2 * architecture.layerCount).squareRoot())

    inputNorm = RMSNormLayer(
      offset: layout.add(
        prefix + "input_layernorm.weight", shape: [hidden], initialization: .ones),
      width: hidden, epsilon: epsilon)
    // q, k and v side by side are one matrix.
    queryKeyValue = LinearLayer(
      offset: layout.add(
        prefix + "self_attn.q_proj.weight", shape: [queryWidth, hidden], initialization: inner),
      inputs: hidden, outputs: queryWidth + 2 * keyValueWidth, product: product)
    _ = layout.add(
      prefix + "self_attn.k_proj.weight", shape: [keyValueWidth, hidden], initialization: inner)
    _ = layout.add(
      prefix + "self_attn.v_proj.weight", shape: [keyValueWidth, hidden], initialization: inner)
    queryNorm = RMSNormLayer(
      offset: layout.add(
        prefix + "self_attn.q_norm.weight", shape: [width], initialization: .ones),
      width: width, groups: architecture.headCount, epsilon: epsilon)
    keyNorm = RMSNormLayer(
      offset: layout.add(
        prefix + "self_attn.k_norm.weight", shape: [width], initialization: .ones),
      width: width, groups: architecture.keyValueHeadCount, epsilon: epsilon)
    attention = CausalAttention(
      heads: architecture.headCount, keyValueHeads: architecture.keyValueHeadCount, width: width,
      product: product)
    output = LinearLayer(
      offset: layout.add(
        prefix + "self_attn.o_proj.weight", shape: [hidden, queryWidth], initialization: residual),
      inputs: queryWidth, outputs: hidden, product: product)
    middleNorm = RMSNormLayer(
      offset: layout.add(
        prefix + "post_attention_layernorm.weight", shape: [hidden], initialization: .ones),
      width: hidden, epsilon: epsilon)
    // gate and up side by side are one matrix.
    gateUp = LinearLayer(
      offset: layout.add(
        prefix + "mlp.gate_proj.weight", shape: [intermediate, hidden], initialization: inner),
      inputs: hidden, outputs: 2 * intermediate, product: product)
    _ = layout.add(
      prefix + "mlp.up_proj.weight", shape: [intermediate, hidden], initialization: inner)
    activation = GatedActivation(width: intermediate)
    down = LinearLayer(
      offset: layout.add(
        prefix + "mlp.down_proj.weight", shape: [hidden, intermediate], initialization: residual),
      inputs: intermediate, outputs: hidden, product: product)
  }
}
