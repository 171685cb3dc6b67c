/// The tensors that a decoder layer may have.
package enum LayerTensor: Sendable, Hashable {
  case mixerNorm, mixerPostNorm
  case mixerNormBias, mixerPostNormBias
  case query, key, value, output
  case queryBias, keyBias, valueBias, outputBias
  case queryNorm, keyNorm
  case sinks
  case queryNormBias, keyNormBias
  case feedForwardNorm, feedForwardPostNorm
  case feedForwardNormBias, feedForwardPostNormBias
  case gate, up, down
  case gateBias, upBias, downBias
  case router, routerBias
  case expertGate(Int), expertUp(Int), expertDown(Int)
  case expertGateBias(Int), expertUpBias(Int), expertDownBias(Int)
  case sharedGate, sharedUp, sharedDown, sharedRouter

  /// The number of the expert that it belongs to; nil for all other tensors.
  package var expert: Int? {
    switch self {
    case .expertGate(let index), .expertUp(let index), .expertDown(let index): index
    case .expertGateBias(let index), .expertUpBias(let index), .expertDownBias(let index): index
    default: nil
    }
  }

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
  /// The whole name of the scores for no value.
  package var sinks = "self_attn.sinks"
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
  /// What queries, keys and values are called where one tensor holds all three.
  package var queryKeyValue: FusedProjection?
  /// What gate and up, in this order, are called where one tensor holds both.
  package var gateUp: String?
  /// What the experts' tensors are called where each holds those of all experts.
  package var fusedExperts: FusedExperts?
  /// Whether matrices are stored [in, out].
  package var isTransposed = false

  package init() {}
}

/// One tensor of queries, keys and values.
package struct FusedProjection: Sendable, Equatable {
  package enum Order: Sendable {
    /// All queries, all keys, all values.
    case parts
    /// For each key-value head its queries, its key, its value.
    case heads
  }

  package var name: String
  package var order: Order

  package init(_ name: String, _ order: Order) {
    self.name = name
    self.order = order
  }

  /// Where the rows of one of the three lie in it.
  func place(of role: LayerTensor, _ shape: LayerShape) -> (rows: Int, order: RowOrder) {
    let (heads, width) = (shape.attention, shape.headDimension)
    let rows = heads.queryWidth + 2 * heads.keyValueWidth
    let group = heads.group * width
    let order =
      switch (self.order, role) {
      case (.parts, .query): RowOrder()
      case (.parts, .key): RowOrder(first: heads.queryWidth)
      case (.parts, _): RowOrder(first: heads.queryWidth + heads.keyValueWidth)
      case (.heads, .query): RowOrder(run: group, stride: group + 2 * width)
      case (.heads, .key): RowOrder(first: group, run: width, stride: group + 2 * width)
      case (.heads, _): RowOrder(first: group + width, run: width, stride: group + 2 * width)
      }
    return (rows, order)
  }
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
    func add(
      _ role: LayerTensor, _ name: String, _ shape: [Int], part: TensorPart? = nil,
      if isThere: Bool = true
    ) {
      if isThere { tensors.append((role, NamedShape(prefix + name, shape, part: part))) }
    }
    func norm(
      _ role: LayerTensor, bias: LayerTensor, _ name: String, _ norm: NormDesign, _ shape: [Int],
      if isThere: Bool
    ) {
      func part(_ suffix: String) -> TensorPart? {
        shape.count == 1 ? nil : TensorPart(prefix + name + suffix, shape: shape)
      }
      let width = shape.reduce(1, *)
      add(
        role, name + ".weight", [width], part: part(".weight"),
        if: isThere && norm.scale != .none)
      add(bias, name + ".bias", [width], part: part(".bias"), if: isThere && norm.bias)
    }
    /// The norm around a sublayer.
    func norm(_ role: LayerTensor, bias: LayerTensor, _ name: String, if isThere: Bool) {
      norm(role, bias: bias, name, design.norm, [hidden], if: isThere)
    }
    /// The norm of query or key heads.
    func norm(_ role: LayerTensor, bias: LayerTensor, _ name: String, heads: Int) {
      let width = shape.headDimension
      let scales =
        switch options.headNorms {
        case .none, .each: [width]
        case .eachOwn: [heads, width]
        case .together: [heads * width]
        }
      norm(role, bias: bias, name, options.headNorm, scales, if: options.headNorms != .none)
    }
    func linear(
      _ role: LayerTensor, _ name: String, _ shape: [Int], bias: LayerTensor, if hasBias: Bool,
      in whole: String? = nil, rows: Int? = nil, order: RowOrder = .plain
    ) {
      func part(_ suffix: String, isTransposed: Bool) -> TensorPart? {
        guard whole != nil || isTransposed else { return nil }
        return TensorPart(
          prefix + (whole ?? name) + suffix, rows: rows, order: order, isTransposed: isTransposed)
      }
      add(role, name + ".weight", shape, part: part(".weight", isTransposed: names.isTransposed))
      add(bias, name + ".bias", [shape[0]], part: part(".bias", isTransposed: false), if: hasBias)
    }
    /// Queries, keys or values.
    func input(_ role: LayerTensor, _ name: String, _ rows: Int, bias: LayerTensor) {
      let place = names.queryKeyValue?.place(of: role, shape)
      linear(
        role, name, [rows, hidden], bias: bias, if: options.inputBias,
        in: names.queryKeyValue?.name, rows: place?.rows, order: place?.order ?? .plain)
    }
    let bias = design.feedForward.bias
    norm(.mixerNorm, bias: .mixerNormBias, names.mixerNorm, if: design.mixerNorms.isBefore)
    input(.query, names.query, queries, bias: .queryBias)
    input(.key, names.key, keys, bias: .keyBias)
    input(.value, names.value, keys, bias: .valueBias)
    norm(.queryNorm, bias: .queryNormBias, names.queryNorm, heads: shape.heads)
    norm(.keyNorm, bias: .keyNormBias, names.keyNorm, heads: shape.keyValueHeads)
    add(.sinks, names.sinks, [shape.heads], if: options.sinks)
    linear(
      .output, names.output, [hidden, queries], bias: .outputBias, if: options.outputBias)
    norm(
      .mixerPostNorm, bias: .mixerPostNormBias, names.mixerPostNorm, if: design.mixerNorms.isAfter)
    norm(
      .feedForwardNorm, bias: .feedForwardNormBias, names.feedForwardNorm,
      if: design.feedForwardNorms.isBefore && design.flow != .parallelSharingNorm)
    switch design.feedForward.kind {
    case .gated:
      let both = names.gateUp == nil ? nil : 2 * inner
      linear(
        .gate, names.gate, [inner, hidden], bias: .gateBias, if: bias, in: names.gateUp,
        rows: both)
      linear(
        .up, names.up, [inner, hidden], bias: .upBias, if: bias, in: names.gateUp, rows: both,
        order: both == nil ? .plain : RowOrder(first: inner))
      linear(.down, names.down, [hidden, inner], bias: .downBias, if: bias)
    case .plain:
      linear(.up, names.up, [inner, hidden], bias: .upBias, if: bias)
      linear(.down, names.down, [hidden, inner], bias: .downBias, if: bias)
    case .experts(let options):
      linear(
        .router, names.router, [options.count, hidden], bias: .routerBias, if: options.routerBias)
      for index in 0..<options.count {
        for tensor in names.tensors(
          ofExpert: index, options, hidden: hidden, hasBiases: bias, prefix: prefix)
        { tensors.append(tensor) }
      }
      if let shared = options.shared {
        add(.sharedGate, names.sharedGate + ".weight", [shared.intermediate, hidden])
        add(.sharedUp, names.sharedUp + ".weight", [shared.intermediate, hidden])
        add(.sharedDown, names.sharedDown + ".weight", [hidden, shared.intermediate])
        add(.sharedRouter, names.sharedRouter + ".weight", [1, hidden], if: shared.isGated)
      }
    }
    norm(
      .feedForwardPostNorm, bias: .feedForwardPostNormBias, names.feedForwardPostNorm,
      if: design.feedForwardNorms.isAfter)
    for (place, tensor) in tensors.enumerated() { places[tensor.role] = place }
    precondition(Set(tensors.map(\.tensor.name)).count == tensors.count, "two tensors share a name")
  }

  /// A tensor; nil if the design has no such one.
  package subscript(role: LayerTensor) -> NamedShape? { places[role].map { tensors[$0].tensor } }

  /// Whether another layer has the same tensors of the same shapes, whatever their names.
  ///
  /// - Parameter ignored: Tensors that it may lack.
  package func matches(_ other: LayerLayout, but ignored: Set<LayerTensor> = []) -> Bool {
    let own = tensors.filter { other[$0.role] != nil || !ignored.contains($0.role) }
    return own.map(\.role) == other.tensors.map(\.role)
      && own.map(\.tensor.shape) == other.tensors.map(\.tensor.shape)
  }
}
