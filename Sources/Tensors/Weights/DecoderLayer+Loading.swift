extension DecoderLayer {
  /// Which optional parts a layer has.
  package struct Parts: Sendable {
    /// Biases of the query, key and value products.
    package var attentionBias = false
    /// A bias of the attention's output product.
    package var outputBias = false
    /// Biases of the three feed-forward products.
    package var feedForwardBias = false
    /// Norms of each query and key head.
    package var headNorms = false

    package init(
      attentionBias: Bool = false, outputBias: Bool = false, feedForwardBias: Bool = false,
      headNorms: Bool = false
    ) {
      self.attentionBias = attentionBias
      self.outputBias = outputBias
      self.feedForwardBias = feedForwardBias
      self.headNorms = headNorms
    }
  }

  /// Takes a layer's weights from a source, under the Hugging Face names behind `prefix`.
  ///
  /// - Throws: What the source throws for a tensor that is missing or has another shape.
  package init(
    _ source: any WeightSource, prefix: String, shape: LayerShape, parts: Parts,
    format: WeightFormat
  ) throws {
    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> PackedMatrix {
      try source.matrix("\(prefix)\(name).weight", rows: rows, columns: columns, format: format)
    }
    func bias(_ name: String, _ rows: Int, _ present: Bool) throws -> FloatBuffer? {
      try present ? source.values("\(prefix)\(name).bias", [rows]) : nil
    }
    func norm(_ name: String, _ count: Int) throws -> FloatBuffer {
      try source.values("\(prefix)\(name).weight", [count])
    }
    self.init(
      shape: shape,
      inputNorm: try norm("input_layernorm", shape.hidden),
      postAttentionNorm: try norm("post_attention_layernorm", shape.hidden),
      query: try matrix("self_attn.q_proj", shape.queryWidth, shape.hidden),
      key: try matrix("self_attn.k_proj", shape.keyValueWidth, shape.hidden),
      value: try matrix("self_attn.v_proj", shape.keyValueWidth, shape.hidden),
      output: try matrix("self_attn.o_proj", shape.hidden, shape.queryWidth),
      gate: try matrix("mlp.gate_proj", shape.intermediate, shape.hidden),
      up: try matrix("mlp.up_proj", shape.intermediate, shape.hidden),
      down: try matrix("mlp.down_proj", shape.hidden, shape.intermediate))
    queryBias = try bias("self_attn.q_proj", shape.queryWidth, parts.attentionBias)
    keyBias = try bias("self_attn.k_proj", shape.keyValueWidth, parts.attentionBias)
    valueBias = try bias("self_attn.v_proj", shape.keyValueWidth, parts.attentionBias)
    outputBias = try bias("self_attn.o_proj", shape.hidden, parts.outputBias)
    gateBias = try bias("mlp.gate_proj", shape.intermediate, parts.feedForwardBias)
    upBias = try bias("mlp.up_proj", shape.intermediate, parts.feedForwardBias)
    downBias = try bias("mlp.down_proj", shape.hidden, parts.feedForwardBias)
    if parts.headNorms {
      queryNorm = try norm("self_attn.q_norm", shape.headDimension)
      keyNorm = try norm("self_attn.k_norm", shape.headDimension)
    }
  }
}
