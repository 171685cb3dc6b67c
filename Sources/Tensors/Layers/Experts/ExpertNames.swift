/// The names of tensors that hold the weights of all experts of a layer.
package struct FusedExperts: Sendable, Equatable {
  /// Of gate and up, `[experts][2 · intermediate][hidden]`.
  package var gateUp: String
  /// `[experts][hidden][intermediate]`.
  package var down: String
  /// What follows the name of a bias, `[experts][rows]`.
  package var biasSuffix = "_bias"
  /// Whether rows of gate and up alternate; else all of gate come first.
  package var isInterleaved = false
  /// Whether floats are stored [experts][in][out].
  package var isTransposed = false
  /// Whether weights are fused; biases are in any case.
  package var holdsWeights = true

  package init(gateUp: String, down: String) {
    self.gateUp = gateUp
    self.down = down
  }

  /// Where the weight of an expert lies.
  ///
  /// - Parameters:
  ///   - shape: The weight's.
  ///   - rows: Of one expert in the tensor.
  ///   - order: Of the weight's rows among them.
  fileprivate func weight(
    _ name: String, _ expert: Int, of count: Int, _ shape: [Int], rows: Int, _ order: RowOrder
  ) -> TensorPart? {
    guard holdsWeights else { return nil }
    let columns = shape[1]
    return isTransposed
      ? TensorPart(
        name, rows: rows, order: order, isTransposed: true, firstInput: expert * columns,
        shape: [count, columns, rows])
      : TensorPart(
        name, rows: count * rows, order: order.after(expert * rows),
        shape: [count, rows, columns])
  }

  /// Where the bias of an expert lies.
  fileprivate func bias(
    _ name: String, _ expert: Int, of count: Int, rows: Int, _ order: RowOrder
  ) -> TensorPart {
    TensorPart(
      name + biasSuffix, rows: count * rows, order: order.after(expert * rows),
      shape: [count, rows])
  }
}

extension RowOrder {
  /// The same order of rows that stand behind others.
  func after(_ rows: Int) -> RowOrder {
    var order = self
    order.first += rows
    return order
  }
}

extension LayerNames {
  /// The tensors of an expert: gate, up and down, each with its bias.
  func tensors(
    ofExpert index: Int, _ options: ExpertOptions, hidden: Int, hasBiases: Bool, prefix: String
  ) -> [(role: LayerTensor, tensor: NamedShape)] {
    let (inner, count) = (options.intermediate, options.count)
    func tensors(
      _ role: LayerTensor, _ biasRole: LayerTensor, _ own: String, fused: String?, _ shape: [Int],
      rows: Int, _ order: RowOrder
    ) -> [(LayerTensor, NamedShape)] {
      let name = "\(prefix)\(experts).\(index).\(own)"
      let whole = fused.map { prefix + $0 }
      let weight = NamedShape(
        name + ".weight", shape,
        part: whole.flatMap { fusedExperts?.weight($0, index, of: count, shape, rows: rows, order) }
      )
      let bias = NamedShape(
        name + ".bias", [shape[0]],
        part: whole.flatMap { fusedExperts?.bias($0, index, of: count, rows: rows, order) })
      return [(role, weight)] + (hasBiases ? [(biasRole, bias)] : [])
    }
    let alternate = fusedExperts?.isInterleaved ?? false
    func half(_ index: Int) -> RowOrder {
      alternate ? RowOrder(first: index, run: 1, stride: 2) : RowOrder(first: index * inner)
    }
    return tensors(
      .expertGate(index), .expertGateBias(index), expertGate, fused: fusedExperts?.gateUp,
      [inner, hidden], rows: 2 * inner, half(0))
      + tensors(
        .expertUp(index), .expertUpBias(index), expertUp, fused: fusedExperts?.gateUp,
        [inner, hidden], rows: 2 * inner, half(1))
      + tensors(
        .expertDown(index), .expertDownBias(index), expertDown, fused: fusedExperts?.down,
        [hidden, inner], rows: hidden, .plain)
  }
}
