/// The tensors that a decoder layer may have.
package enum LayerTensor: Sendable, Hashable {
  case mixerNorm, mixerPostNorm
  case query, key, value, output
  case queryBias, keyBias, valueBias, outputBias
  case queryNorm, keyNorm
  case feedForwardNorm, feedForwardPostNorm
  case gate, up, down
  case gateBias, upBias, downBias
  case router, routerBias
  case expertGate(Int), expertUp(Int), expertDown(Int)
  case expertGateBias(Int), expertUpBias(Int), expertDownBias(Int)
  case sharedGate, sharedUp, sharedDown, sharedRouter

  /// Whether its products decide where rows go, and so are in f32 whatever format a model has.
  package var isRouter: Bool { self == .router || self == .sharedRouter }
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
  package var router = "mlp.gate"
  /// What stands before an expert's number, with a dot between them.
  package var experts = "mlp.experts"
  /// Behind an expert's number and a dot.
  package var expertGate = "gate_proj"
  /// See `expertGate`.
  package var expertUp = "up_proj"
  /// See `expertGate`.
  package var expertDown = "down_proj"
  package var sharedGate = "mlp.shared_expert.gate_proj"
  package var sharedUp = "mlp.shared_expert.up_proj"
  package var sharedDown = "mlp.shared_expert.down_proj"
  package var sharedRouter = "mlp.shared_expert_gate"
  /// Of the norm on the feed-forward part's output.
  package var feedForwardPostNorm = "post_feedforward_layernorm"

  package init() {}
}

/// The names and shapes of a layer's tensors, for whoever reads, trains, converts or writes them.
package struct LayerLayout: Sendable {
  package let design: LayerDesign
  /// The tensors that the layer has, in the order in which training holds them.
  package private(set) var tensors: [(role: LayerTensor, tensor: NamedShape)] = []
  private var places: [LayerTensor: Int] = [:]

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
    case .experts(let options):
      linear(
        .router, names.router, [options.count, hidden], bias: .routerBias, if: options.routerBias)
      let inner = options.intermediate
      for index in 0..<options.count {
        let prefix = "\(names.experts).\(index)."
        linear(
          .expertGate(index), prefix + names.expertGate, [inner, hidden],
          bias: .expertGateBias(index), if: bias.2)
        linear(
          .expertUp(index), prefix + names.expertUp, [inner, hidden], bias: .expertUpBias(index),
          if: bias.2)
        linear(
          .expertDown(index), prefix + names.expertDown, [hidden, inner],
          bias: .expertDownBias(index), if: bias.2)
      }
      if let shared = options.shared {
        add(.sharedGate, names.sharedGate + ".weight", [shared.intermediate, hidden])
        add(.sharedUp, names.sharedUp + ".weight", [shared.intermediate, hidden])
        add(.sharedDown, names.sharedDown + ".weight", [hidden, shared.intermediate])
        add(.sharedRouter, names.sharedRouter + ".weight", [1, hidden], if: shared.isGated)
      }
    }
    norm(
      .feedForwardPostNorm, names.feedForwardPostNorm, hidden, if: design.feedForwardNorms.isAfter)
    for (place, tensor) in tensors.enumerated() { places[tensor.role] = place }
    precondition(Set(tensors.map(\.tensor.name)).count == tensors.count, "two tensors share a name")
  }

  /// A tensor; nil if the design has no such one.
  package subscript(role: LayerTensor) -> NamedShape? { places[role].map { tensors[$0].tensor } }

  /// Whether another layer has the same tensors of the same shapes, whatever their names.
  package func matches(_ other: LayerLayout) -> Bool {
    tensors.map(\.role) == other.tensors.map(\.role)
      && tensors.map(\.tensor.shape) == other.tensors.map(\.tensor.shape)
  }
}
