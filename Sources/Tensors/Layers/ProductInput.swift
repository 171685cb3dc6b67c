/// What products of a pass take, for analysis: some rows of it.
package struct ProductInput {
  /// The layer's number; nil for what isn't a layer's.
  package var layer: Int?
  /// The products, by what checkpoints call their matrices: `q_proj k_proj v_proj`.
  package var product: String
  /// The rows of the pass that belong to blocks, or all of them where none does.
  package var rows: [Int]
  package var width: Int
  private let values: UnsafePointer<Float>

  package init(
    layer: Int? = nil, product: String, rows: [Int], width: Int, values: UnsafePointer<Float>
  ) {
    self.layer = layer
    self.product = product
    self.rows = rows
    self.width = width
    self.values = values
  }

  /// The values of a row of the pass; they are good until the next product.
  package func row(_ row: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: values + row * width, count: width)
  }
}

extension RowPlan {
  /// The rows of blocks.
  package var blockRows: [Int] { (0..<count).filter { self[$0].place >= 0 } }
}

extension DecoderLayer {
  /// Tells what attention's products took of a pass that was just mixed.
  func tellMixed(
    _ plan: RowPlan, index: Int, scratch: LayerScratch, to observer: (ProductInput) -> Void
  ) {
    tell("q_proj k_proj v_proj", scratch.normed(0), plan, index, observer)
    tell("o_proj", scratch.attention(of: index).attended, plan, index, observer)
  }

  /// Tells what the products of a feed-forward part took that has just run, but for those of experts.
  func tellTransformed(
    _ plan: RowPlan, index: Int, scratch: LayerScratch, to observer: (ProductInput) -> Void
  ) {
    switch scratch.feedForward(of: index) {
    case .gated(let buffers):
      tell("gate_proj up_proj", scratch.normed(0), plan, index, observer)
      tell("down_proj", buffers.gate, plan, index, observer)
    case .plain(let buffers):
      tell("up_proj", scratch.normed(0), plan, index, observer)
      tell("down_proj", buffers.up, plan, index, observer)
    case .experts: break
    }
  }

  private func tell(
    _ product: String, _ rows: ActivationRows, _ plan: RowPlan, _ index: Int,
    _ observer: (ProductInput) -> Void
  ) {
    observer(
      ProductInput(
        layer: index, product: product, rows: plan.blockRows, width: rows.width,
        values: rows.values.base))
  }
}
