/// A tensor's name and its shape, written once for loading, training and export.
package struct NamedShape: Sendable, Equatable {
  /// Its name, which no other tensor of the model has.
  package let name: String
  /// The shape; linear weights are [out, in].
  package let shape: [Int]
  /// Where checkpoints have it, if not by itself under its name.
  package let part: TensorPart?

  package init(_ name: String, _ shape: [Int], part: TensorPart? = nil) {
    self.name = name
    self.shape = shape
    self.part = part
  }

  /// The tensor of a checkpoint that holds it.
  package var storedName: String { part?.name ?? name }

  /// The shape of that tensor.
  package var storedShape: [Int] {
    guard let part else { return shape }
    if let whole = part.shape { return whole }
    let whole = [part.rows ?? shape[0]] + shape.dropFirst()
    return part.isTransposed ? whole.reversed() : whole
  }

  /// The order of its rows in that tensor.
  package var order: RowOrder { part?.order ?? .plain }
}

/// The place of a tensor in one that a checkpoint holds: some of its rows, or all in another order.
package struct TensorPart: Sendable, Equatable {
  /// The stored tensor.
  package let name: String
  /// The rows of the stored tensor; nil for as many as the tensor itself has.
  package let rows: Int?
  package let order: RowOrder
  /// Whether floats are stored [in, out], as GPT-2 has them. Integers of a converted checkpoint never are:
  /// their groups are those of inputs.
  package let isTransposed: Bool
  /// Where floats are stored [in, out]: the stored row of the first input.
  package let firstInput: Int
  /// The shape of the stored tensor, where its rows are something else than those of the tensor.
  package let shape: [Int]?

  package init(
    _ name: String, rows: Int? = nil, order: RowOrder = .plain, isTransposed: Bool = false,
    firstInput: Int = 0, shape: [Int]? = nil
  ) {
    self.name = name
    self.firstInput = firstInput
    self.rows = rows
    self.order = order
    self.isTransposed = isTransposed
    self.shape = shape
  }
}
