/// The tensors that a decoder layer may have, in the order in which training holds them.
package enum LayerTensor: Sendable, CaseIterable {
  case mixerNorm
  case query, key, value
  case queryBias, keyBias, valueBias
  case queryNorm, keyNorm
  case output, outputBias
  case mixerPostNorm
  case feedForwardNorm
  case gate, up, down
  case gateBias, upBias, downBias
  case feedForwardPostNorm
}

/// What checkpoints call the modules of a layer; a tensor's name ends in `.weight` or `.bias` behind it.
package struct LayerNames: Sendable, Equatable {
  package var mixerNorm = "input_layernorm"
  package var query = "self_attn.q_proj"
  package var key = "self_attn.k_proj"
  package var value = "self_attn.v_proj"
  package var queryNorm = "self_attn.q_norm"
  package var keyNorm = "self_attn.k_norm"
  package var output = "self_attn.o_proj"
  /// Of the norm on attention's output.
  package var mixerPostNorm = "post_mixer_layernorm"
  /// Of the norm before the feed-forward part, which Llama names by what it follows.
  package var feedForwardNorm = "post_attention_layernorm"
  package var gate = "mlp.gate_proj"
  package var up = "mlp.up_proj"
  package var down = "mlp.down_proj"
  /// Of the norm on the feed-forward part's output.
  package var feedForwardPostNorm = "post_feedforward_layernorm"

  /// The names of Llama, which most families share.
  package init() {}
}

/// The names and shapes of a layer's tensors, for whoever reads, trains, converts or writes them.
package struct LayerLayout: Sendable {
  /// One tensor of a layer.
  package struct Tensor: Sendable, Equatable {
    /// What it is.
    package let role: LayerTensor
    /// Its name in a checkpoint.
    package let name: String
    /// Linear weights are [out, in].
    package let shape: [Int]
  }

  /// The design that the tensors belong to.
  package let design: LayerDesign
  /// The tensors that the layer has, in the order of `LayerTensor`.
  package let tensors: [Tensor]

  /// Lists the tensors of a design under names behind `prefix`.
  package init(_ design: LayerDesign, names: LayerNames = LayerNames(), prefix: String) {
    self.design = design
    tensors = LayerTensor.allCases.compactMap { role in
      guard let shape = role.shape(in: design) else { return nil }
      return Tensor(role: role, name: prefix + role.name(names), shape: shape)
    }
    precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors share a name")
  }

  /// A tensor; nil if the design has no such one.
  package subscript(role: LayerTensor) -> Tensor? { tensors.first { $0.role == role } }

  /// Whether another layer has the same tensors of the same shapes, whatever their names.
  package func matches(_ other: LayerLayout) -> Bool {
    tensors.map(\.role) == other.tensors.map(\.role)
      && tensors.map(\.shape) == other.tensors.map(\.shape)
  }
}

extension LayerTensor {
  /// The shape of the tensor; nil if the design has none.
  fileprivate func shape(in design: LayerDesign) -> [Int]? {
    let (shape, options) = (design.shape, design.attention)
    let (queries, keys) = (shape.attention.queryWidth, shape.attention.keyValueWidth)
    func vector(_ count: Int, if isThere: Bool) -> [Int]? { isThere ? [count] : nil }
    return switch self {
    case .mixerNorm: vector(shape.hidden, if: design.mixerNorms.isBefore)
    case .mixerPostNorm: vector(shape.hidden, if: design.mixerNorms.isAfter)
    case .feedForwardNorm: vector(shape.hidden, if: design.feedForwardNorms.isBefore)
    case .feedForwardPostNorm: vector(shape.hidden, if: design.feedForwardNorms.isAfter)
    case .query: [queries, shape.hidden]
    case .key, .value: [keys, shape.hidden]
    case .output: [shape.hidden, queries]
    case .gate, .up: [shape.intermediate, shape.hidden]
    case .down: [shape.hidden, shape.intermediate]
    case .queryBias: vector(queries, if: options.inputBias)
    case .keyBias, .valueBias: vector(keys, if: options.inputBias)
    case .outputBias: vector(shape.hidden, if: options.outputBias)
    case .queryNorm, .keyNorm: vector(shape.headDimension, if: options.headNorms)
    case .gateBias, .upBias: vector(shape.intermediate, if: design.feedForward.bias)
    case .downBias: vector(shape.hidden, if: design.feedForward.bias)
    }
  }

  fileprivate func name(_ names: LayerNames) -> String {
    switch self {
    case .mixerNorm: names.mixerNorm + ".weight"
    case .mixerPostNorm: names.mixerPostNorm + ".weight"
    case .feedForwardNorm: names.feedForwardNorm + ".weight"
    case .feedForwardPostNorm: names.feedForwardPostNorm + ".weight"
    case .query: names.query + ".weight"
    case .queryBias: names.query + ".bias"
    case .queryNorm: names.queryNorm + ".weight"
    case .key: names.key + ".weight"
    case .keyBias: names.key + ".bias"
    case .keyNorm: names.keyNorm + ".weight"
    case .value: names.value + ".weight"
    case .valueBias: names.value + ".bias"
    case .output: names.output + ".weight"
    case .outputBias: names.output + ".bias"
    case .gate: names.gate + ".weight"
    case .gateBias: names.gate + ".bias"
    case .up: names.up + ".weight"
    case .upBias: names.up + ".bias"
    case .down: names.down + ".weight"
    case .downBias: names.down + ".bias"
    }
  }
}
