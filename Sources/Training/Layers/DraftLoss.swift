import CKernels
import Tensors

/// The frozen head over the draft vocabulary, an optional Markov head, and cross-entropy.
///
/// Works through the rows a chunk at a time, as ``VocabularyLoss`` does. The head gets no gradient:
/// it is the target's own.
struct DraftLoss {
  /// The rows of a chunk.
  static let chunkRows = 256

  /// The target's head rows of the draft vocabulary: [choices][hidden].
  let head: FloatBuffer
  let hidden: Int
  let choices: Int
  let markov: MarkovLayer?

  /// The drafted rows of a pass.
  struct Rows {
    var count: Int
    var x: UnsafePointer<Float>  // [count][hidden], normed
    var previous: UnsafePointer<Token>  // [count], the token before each row's own
    var targets: UnsafePointer<Int32>  // [count], draft indices, negative for none
    var weights: UnsafePointer<Float>  // [count]
  }

  /// Buffers of a chunk.
  final class Scratch {
    let logits: FloatBuffer  // [chunkRows][choices]
    let previous: FloatBuffer  // [chunkRows][rank]
    let dPrevious: FloatBuffer  // [chunkRows][rank]

    init(_ loss: DraftLoss) {
      let rank = loss.markov?.rank ?? 0
      logits = FloatBuffer(count: DraftLoss.chunkRows * loss.choices)
      previous = FloatBuffer(count: DraftLoss.chunkRows * rank)
      dPrevious = FloatBuffer(count: DraftLoss.chunkRows * rank)
    }
  }

  /// Adds the Markov head's gradients, writes x's to `dX`, and returns the weighted losses' sum.
  func forwardBackward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Rows,
    scale: Float, scratch: Scratch, dX: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    forEachChunk(parameters, rows, scratch) { start, count in
      let logits = scratch.logits.base
      total += ct_cross_entropy(
        count, choices, rows.targets + start, rows.weights + start, scale, logits, nil)
      MatrixProduct.times(
        rows: count, columns: hidden, inner: choices, logits, choices, head.base, hidden,
        into: dX + start * hidden, hidden)
      if let markov {
        markov.projection.backward(
          parameters, gradients: gradients, rows: count, x: scratch.previous.base, dY: logits,
          dX: scratch.dPrevious.base)
        for row in 0..<count {
          ct_add(
            markov.rank, scratch.dPrevious.base + row * markov.rank,
            gradients + markov.offset(of: rows.previous[start + row]))
        }
      }
    }
    return total
  }

  /// Returns the weighted losses' sum.
  func loss(_ parameters: UnsafePointer<Float>, rows: Rows, scratch: Scratch) -> Double {
    var total = 0.0
    forEachChunk(parameters, rows, scratch) { start, count in
      total += ct_cross_entropy_loss(
        count, choices, rows.targets + start, rows.weights + start, scratch.logits.base, nil)
    }
    return total
  }

  /// Computes the logits of a chunk at a time, [rows][choices] in `scratch.logits`.
  func forEachChunk(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, _ scratch: Scratch,
    _ body: (_ start: Int, _ count: Int) -> Void
  ) {
    for start in stride(from: 0, to: rows.count, by: Self.chunkRows) {
      let count = min(Self.chunkRows, rows.count - start)
      MatrixProduct.timesTransposed(
        rows: count, columns: choices, inner: hidden, rows.x + start * hidden, hidden, head.base,
        hidden, into: scratch.logits.base, choices)
      if let markov {
        for row in 0..<count {
          (scratch.previous.base + row * markov.rank).update(
            from: parameters + markov.offset(of: rows.previous[start + row]), count: markov.rank)
        }
        markov.projection.forward(
          parameters, rows: count, x: scratch.previous.base, y: scratch.logits.base,
          accumulate: true)
      }
      body(start, count)
    }
  }
}

/// A bias on a row's logits by the token before it: W2 · W1[previous] (DSpark, arXiv 2607.05147).
struct MarkovLayer: Sendable {
  /// Where W1 [vocabulary][rank] starts in the flat parameters.
  let embedding: Int
  /// W2 [choices][rank].
  let projection: LinearLayer

  var rank: Int { projection.inputs }

  /// Where a token's row of W1 starts.
  func offset(of token: Token) -> Int { embedding + Int(token) * rank }
}
