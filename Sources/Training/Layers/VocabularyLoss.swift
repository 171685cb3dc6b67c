import CKernels

/// The output head with softmax cross-entropy, a chunk of rows at a time.
///
/// Logits [rows, vocabulary] of a whole batch are never held: each chunk's logits become their own
/// gradient in place and are spent at once.
package struct VocabularyLoss: Sendable {
  /// The head's matrix [vocabulary, width]; the embedding itself when tied.
  package let head: LinearLayer
  package static let chunkRows = 256

  package var scratchCount: Int { Self.chunkRows * head.outputs }

  /// Adds the head's gradient, writes x's, and returns the sum of the rows' losses.
  ///
  /// - Parameters:
  ///   - x: [rows, width].
  ///   - targets: [rows]; a negative target's row counts for nothing.
  ///   - scale: The factor of the gradient, usually 1 / (rows of the whole batch).
  ///   - logits: Scratch of `scratchCount` values.
  package func forwardBackward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Int,
    x: UnsafePointer<Float>, targets: UnsafePointer<Int32>, scale: Float,
    logits: UnsafeMutablePointer<Float>, dX: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    forEachChunk(rows) { start, count in
      let input = x + start * head.inputs
      head.forward(parameters, rows: count, x: input, y: logits)
      total += ct_cross_entropy(count, head.outputs, targets + start, nil, scale, logits, nil)
      head.backward(
        parameters, gradients: gradients, rows: count, x: input, dY: logits,
        dX: dX + start * head.inputs)
    }
    return total
  }

  package func loss(
    _ parameters: UnsafePointer<Float>, rows: Int, x: UnsafePointer<Float>,
    targets: UnsafePointer<Int32>, logits: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    forEachChunk(rows) { start, count in
      head.forward(parameters, rows: count, x: x + start * head.inputs, y: logits)
      total += ct_cross_entropy_loss(count, head.outputs, targets + start, nil, logits, nil)
    }
    return total
  }

  private func forEachChunk(_ rows: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
    for start in stride(from: 0, to: rows, by: Self.chunkRows) {
      body(start, min(Self.chunkRows, rows - start))
    }
  }
}
