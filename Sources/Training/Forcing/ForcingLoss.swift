import CKernels
import Tensors

/// The losses of forcing: cross-entropy of the clean rows, and soft cross-entropy of the noisy rows
/// to the clean rows at their positions, whose distributions are constants to the gradient.
///
/// Works through the clean rows a chunk at a time, with the noisy rows at the same positions, as
/// ``VocabularyLoss`` does. Rows of the prompt count only where the target's distributions are kept.
struct ForcingLoss {
  static let chunkRows = 128

  /// The embedding, which is the head.
  let head: LinearLayer
  let trainsHead: Bool

  /// What each loss is multiplied by, in a gradient.
  struct Factors {
    /// Cross-entropy of a clean row of the response.
    var clean: Float
    /// KL(p ‖ q) of any clean row from the distribution p of the model that training began with.
    var divergence: Float
    /// Soft cross-entropy of a noisy row.
    var noisy: Float
  }

  /// The rows of a pass, normed.
  struct Rows {
    var example: ForcingExample
    var x: UnsafePointer<Float>  // [clean + noisy][hidden]
    /// The first model's last hidden states, normed: [clean][hidden]; `nil` where they don't count.
    var states: UnsafePointer<Float>?
    var firstHead: UnsafePointer<Float>?  // [vocabulary][hidden]
  }

  /// Buffers of a chunk.
  final class Scratch {
    let clean: FloatBuffer  // [chunkRows][vocabulary]
    let noisy: FloatBuffer  // [chunkRows][vocabulary]
    let teacher: FloatBuffer?  // [chunkRows][vocabulary]
    var logMeans = [Float](repeating: 0, count: ForcingLoss.chunkRows)
    var losses = [ct_draft_terms](repeating: ct_draft_terms(), count: ForcingLoss.chunkRows)
    let ones = [Float](repeating: 1, count: ForcingLoss.chunkRows)
    /// No entropy is taken off a soft cross-entropy.
    let zeros = [Float](repeating: 0, count: ForcingLoss.chunkRows)

    init(vocabulary: Int, keepsTarget: Bool) {
      let count = ForcingLoss.chunkRows * vocabulary
      clean = FloatBuffer(count: count)
      noisy = FloatBuffer(count: count)
      teacher = keepsTarget ? FloatBuffer(count: count) : nil
    }
  }

  /// Adds the head's gradient if it is trained, writes x's to `dX`, and returns the sums of losses.
  func forwardBackward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Rows,
    factors: Factors, scratch: Scratch, dX: UnsafeMutablePointer<Float>
  ) -> ForcingLosses {
    let (hidden, example) = (head.inputs, rows.example)
    dX.update(repeating: 0, count: (example.cleanCount + example.noisy.count) * hidden)
    var sums = ForcingLosses()
    forEachChunk(rows) { chunk, isResponse in
      let teacher = teach(rows, chunk, scratch)
      head.forward(
        parameters, rows: chunk.count, x: rows.x + chunk.lowerBound * hidden, y: scratch.clean.base)
      example.tokens.withBase { tokens in
        let targets = tokens + chunk.lowerBound + 1
        ct_draft_losses(
          chunk.count, head.outputs, targets, scratch.clean.base, teacher,
          teacher == nil ? nil : scratch.logMeans, &scratch.losses)
        for terms in scratch.losses[..<chunk.count] {
          if isResponse { sums.clean += Double(terms.cross_entropy) }
          sums.divergence += Double(terms.divergence)
        }
        // Before the clean rows' distributions become their gradients.
        for copy in 0..<example.noisy.count / max(example.copyCount, 1) {
          sums.noisy += noisy(
            copy, parameters, gradients, rows, chunk, targets, factors, scratch, dX)
        }
        ct_draft_gradient(
          chunk.count, head.outputs, targets, scratch.ones, 1,
          ct_draft_terms(
            cross_entropy: isResponse ? factors.clean : 0,
            divergence: teacher == nil ? 0 : factors.divergence, variation: 0),
          0, nil, scratch.clean.base, teacher)
      }
      backward(
        parameters, gradients, count: chunk.count, x: rows.x + chunk.lowerBound * hidden,
        dLogits: scratch.clean.base, dX: dX + chunk.lowerBound * hidden)
    }
    return sums
  }

  /// The noisy rows of a copy at the positions of a chunk of clean rows.
  private func noisy(
    _ copy: Int, _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
    _ rows: Rows, _ chunk: Range<Int>, _ targets: UnsafePointer<Int32>, _ factors: Factors,
    _ scratch: Scratch, _ dX: UnsafeMutablePointer<Float>
  ) -> Double {
    let (hidden, example) = (head.inputs, rows.example)
    let first = max(chunk.lowerBound, example.promptLength)
    guard first < chunk.upperBound else { return 0 }
    let (count, skipped) = (chunk.upperBound - first, first - chunk.lowerBound)
    let place = copy * example.copyCount + first - example.promptLength
    let row = example.cleanCount + place
    head.forward(parameters, rows: count, x: rows.x + row * hidden, y: scratch.noisy.base)
    let clean = UnsafePointer(scratch.clean.base + skipped * head.outputs)
    ct_draft_losses(
      count, head.outputs, targets + skipped, scratch.noisy.base, clean, scratch.zeros,
      &scratch.losses)
    var sum = 0.0
    example.weights.withBase { weights in
      for index in 0..<count {
        sum += Double(weights[place + index] * scratch.losses[index].divergence)
      }
      ct_draft_gradient(
        count, head.outputs, targets + skipped, weights + place, 1,
        ct_draft_terms(cross_entropy: 0, divergence: factors.noisy, variation: 0),
        0, nil, scratch.noisy.base, clean)
    }
    backward(
      parameters, gradients, count: count, x: rows.x + row * hidden,
      dLogits: scratch.noisy.base, dX: dX + row * hidden)
    return sum
  }

  private func teach(
    _ rows: Rows, _ chunk: Range<Int>, _ scratch: Scratch
  ) -> UnsafePointer<Float>? {
    guard let teacher = scratch.teacher, let states = rows.states, let matrix = rows.firstHead
    else { return nil }
    let hidden = head.inputs
    head.product.timesTransposed(
      rows: chunk.count, columns: head.outputs, inner: hidden, states + chunk.lowerBound * hidden,
      hidden, matrix, hidden, into: teacher.base, head.outputs)
    rows.example.tokens.withBase { tokens in
      ct_softmax(
        chunk.count, head.outputs, tokens + chunk.lowerBound + 1, teacher.base, &scratch.logMeans)
    }
    return UnsafePointer(teacher.base)
  }

  private func backward(
    _ parameters: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, count: Int,
    x: UnsafePointer<Float>, dLogits: UnsafePointer<Float>, dX: UnsafeMutablePointer<Float>
  ) {
    if trainsHead {
      head.backward(parameters, gradients: gradients, rows: count, x: x, dY: dLogits, dX: dX)
    } else {
      head.product.times(
        rows: count, columns: head.inputs, inner: head.outputs, dLogits, head.outputs,
        parameters + head.offset, head.inputs, into: dX, head.inputs)
    }
  }

  /// Chunks of clean rows: of the prompt, if they count, and of the response.
  private func forEachChunk(
    _ rows: Rows, _ body: (_ chunk: Range<Int>, _ isResponse: Bool) -> Void
  ) {
    let response = rows.example.responseRows
    let parts = [(0..<response.lowerBound, false), (response, true)]
    for (part, isResponse) in parts where isResponse || rows.states != nil {
      for start in stride(from: part.lowerBound, to: part.upperBound, by: Self.chunkRows) {
        body(start..<min(start + Self.chunkRows, part.upperBound), isResponse)
      }
    }
  }
}
