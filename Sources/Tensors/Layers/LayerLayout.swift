/// The tensors that a decoder layer may have.
package enum LayerTensor: Sendable {
  case mixerNorm, mixerPostNorm
  case query, key, value, output
  case queryBias, keyBias, valueBias, outputBias
  case queryNorm, keyNorm
  case feedForwardNorm, feedForwardPostNorm
  case gate, up, down
  case gateBias, upBias, downBias
}

/// What checkpoints call the modules of a layer; a tensor's name ends in `.weight` or `.bias` behind it.
///
/// These are Llama's, which most families share.
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

  package init() {}
}

/// The names and shapes of a layer's tensors, for whoever reads, trains, converts or writes them.
package struct LayerLayout: Sendable {
  package let design: LayerDesign
  /// The tensors that the layer has, in the order in which training holds them.
  package private(set) var tensors: [(role: LayerTensor, tensor: NamedShape)] = []

  /// Lists the tensors of a design under names behind `prefix`.
  package init(_ design: LayerDesign, names: LayerNames = LayerNames(), prefix: String) {
    self.design = design
    let (shape, options) = (design.shape, design.attention)
    let (hidden, inner) = (shape.hidden, shape.intermediate)
    let (queries, keys) = (shape.attention.queryWidth, shape.attention.keyValueWidth)
    func add(_ role: LayerTensor, _ name: String, _ shape: [Int], if isThere: Bool = true) {
      if isThere { tensors.append((role, NamedShape(prefix + name, shape))) }
    }
    func norm(_ role: LayerTensor, _ name: String, _ width: Int, if isThere: Bool) {
      add(role, name + ".weight", [width], if: isThere)
    }
    func linear(
      _ role: LayerTensor, _ name: String, _ shape: [Int], bias: LayerTensor, if hasBias: Bool
    ) {
      add(role, name + ".weight", shape)
      add(bias, name + ".bias", [shape[0]], if: hasBias)
    }
    let bias = (options.inputBias, options.outputBias, design.feedForward.bias)
    norm(.mixerNorm, names.mixerNorm, hidden, if: design.mixerNorms.isBefore)
    linear(.query, names.query, [queries, hidden], bias: .queryBias, if: bias.0)
    linear(.key, names.key, [keys, hidden], bias: .keyBias, if: bias.0)
    linear(.value, names.value, [keys, hidden], bias: .valueBias, if: bias.0)
    norm(.queryNorm, names.queryNorm, shape.headDimension, if: options.headNorms)
    norm(.keyNorm, names.keyNorm, shape.headDimension, if: options.headNorms)
    linear(.output, names.output, [hidden, queries], bias: .outputBias, if: bias.1)
    norm(.mixerPostNorm, names.mixerPostNorm, hidden, if: design.mixerNorms.isAfter)
    norm(.feedForwardNorm, names.feedForwardNorm, hidden, if: design.feedForwardNorms.isBefore)
    switch design.feedForward.kind {
    case .gated:
      linear(.gate, names.gate, [inner, hidden], bias: .gateBias, if: bias.2)
      linear(.up, names.up, [inner, hidden], bias: .upBias, if: bias.2)
      linear(.down, names.down, [hidden, inner], bias: .downBias, if: bias.2)
    }
    norm(
      .feedForwardPostNorm, names.feedForwardPostNorm, hidden, if: design.feedForwardNorms.isAfter)
    precondition(Set(tensors.map(\.tensor.name)).count == tensors.count, "two tensors share a name")
  }

  /// A tensor; nil if the design has no such one.
  package subscript(role: LayerTensor) -> NamedShape? { tensors.first { $0.role == role }?.tensor }

  /// Whether another layer has the same tensors of the same shapes, whatever their names.
  package func matches(_ other: LayerLayout) -> Bool {
    tensors.map(\.role) == other.tensors.map(\.role)
      && tensors.map(\.tensor.shape) == other.tensors.map(\.tensor.shape)
  }
}
