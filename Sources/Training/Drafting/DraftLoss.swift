import CKernels
import Files
import Tensors

/// The head over the draft vocabulary, an optional Markov head, and the objective's losses.
///
/// Works through the rows a chunk of whole blocks at a time, as ``VocabularyLoss`` does: logits of a
/// chunk become probabilities and then their own gradient in place. A borrowed head gets no gradient: it
/// is the target's own.
struct DraftLoss {
  /// The most rows of a chunk.
  static let chunkRows = 256

  /// What is borrowed of the target.
  let target: TargetRows
  /// The drafter's own embedding and head [vocabulary][hidden], if it has them.
  let own: LinearLayer?
  let hidden: Int
  let choices: Int
  let markov: MarkovLayer?
  let confidence: ConfidenceLayer?
  let objective: DraftObjective
  /// How the head multiplies.
  let product: MatrixProduct

  /// The drafted rows of a pass: whole blocks.
  struct Rows {
    var count: Int
    /// Drafted rows of a block.
    var blockRows: Int
    var x: UnsafePointer<Float>  // [count][hidden], normed
    var previous: UnsafePointer<Token>  // [count], the token before each row's own
    /// Draft indices, negative for none, as in ``DraftExample``: [count].
    var targets: UnsafePointer<Int32>
    var weights: UnsafePointer<Float>  // [count]
    /// The target's last hidden states, normed, that chose each row's token: [count][target's width].
    var states: UnsafePointer<Float>?
  }

  /// Buffers of a chunk.
  final class Scratch {
    let logits: FloatBuffer  // [chunkRows][choices]
    let previous: FloatBuffer  // [chunkRows][rank]
    let dPrevious: FloatBuffer  // [chunkRows][rank]
    let teacher: FloatBuffer?  // [chunkRows][choices]
    /// The rows of an own head that a draft vocabulary chooses, and their gradient: [choices][hidden].
    let chosen: (values: FloatBuffer, gradient: FloatBuffer)?
    /// The head of the pass: [choices][hidden].
    fileprivate(set) var head: UnsafePointer<Float>
    var logMeans = [Float](repeating: 0, count: DraftLoss.chunkRows)
    var losses = [ct_draft_terms](repeating: ct_draft_terms(), count: DraftLoss.chunkRows)
    var weights = [Float](repeating: 0, count: DraftLoss.chunkRows)
    /// Of rows that are right already; empty where the objective doesn't ask.
    var entropies: [Float]
    var confidence: Confidence

    init(_ loss: DraftLoss) {
      let rank = loss.markov?.rank ?? 0
      logits = FloatBuffer(count: DraftLoss.chunkRows * loss.choices)
      previous = FloatBuffer(count: DraftLoss.chunkRows * rank)
      dPrevious = FloatBuffer(count: DraftLoss.chunkRows * rank)
      teacher =
        loss.objective.needsDistribution
        ? FloatBuffer(count: DraftLoss.chunkRows * loss.choices) : nil
      let size = loss.choices * loss.hidden
      chosen =
        loss.own != nil && loss.target.draftVocabulary != nil
        ? (FloatBuffer(count: size), FloatBuffer(count: size)) : nil
      head = UnsafePointer(chosen?.values.base ?? loss.target.head.base)
      entropies = [Float](
        repeating: 0, count: loss.objective.certainty > 0 ? DraftLoss.chunkRows : 0)
      confidence = Confidence(loss)
    }
  }

  /// Adds the gradients of the Markov and confidence heads and of an own head, writes x's to `dX`, and returns the
  /// weighted losses' sum.
  func forwardBackward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Rows,
    scale: Float, scratch: Scratch, dX: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    let terms = ct_draft_terms(
      cross_entropy: objective.crossEntropy, divergence: objective.divergence,
      variation: objective.variation)
    forEachChunk(parameters, rows, scratch) { start, count in
      let logits = scratch.logits.base
      total += losses(parameters, rows, start, count, scratch)
      backwardConfidence(gradients, rows, start, count, scale: scale, scratch)
      ct_draft_gradient(
        count, choices, rows.targets + start, scratch.weights, scale, terms, objective.certainty,
        scratch.entropies.isEmpty ? nil : scratch.entropies, logits, scratch.teacher?.base)
      product.times(
        rows: count, columns: hidden, inner: choices, logits, choices, scratch.head, hidden,
        into: dX + start * hidden, hidden)
      if let own {
        product.transposedTimes(
          rows: choices, columns: hidden, inner: count, logits, choices, rows.x + start * hidden,
          hidden, into: scratch.chosen?.gradient.base ?? gradients + own.offset, hidden,
          accumulate: true)
      }
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
    scatterChosen(scratch, to: gradients)
    return total
  }

  /// Returns the weighted losses' sum.
  func loss(_ parameters: UnsafePointer<Float>, rows: Rows, scratch: Scratch) -> Double {
    var total = 0.0
    forEachChunk(parameters, rows, scratch) { start, count in
      total += losses(parameters, rows, start, count, scratch)
    }
    return total
  }

  /// Computes the logits of a chunk of whole blocks at a time, [rows][choices] in `scratch.logits`.
  func forEachChunk(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, _ scratch: Scratch,
    _ body: (_ start: Int, _ count: Int) -> Void
  ) {
    precondition(rows.blockRows <= Self.chunkRows, "a chunk has room for a block")
    gatherHead(parameters, scratch)
    let size = Self.chunkRows / rows.blockRows * rows.blockRows
    for start in stride(from: 0, to: rows.count, by: size) {
      let count = min(size, rows.count - start)
      product.timesTransposed(
        rows: count, columns: choices, inner: hidden, rows.x + start * hidden, hidden,
        scratch.head, hidden, into: scratch.logits.base, choices)
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

  /// Finds the head's rows: those of the target, or the drafter's own as they are now.
  private func gatherHead(_ parameters: UnsafePointer<Float>, _ scratch: Scratch) {
    guard let own else { return }
    guard let chosen = scratch.chosen, let tokens = target.draftVocabulary else {
      scratch.head = parameters + own.offset
      return
    }
    for (index, token) in tokens.enumerated() {
      (chosen.values.base + index * hidden).update(
        from: parameters + own.offset + Int(token) * hidden, count: hidden)
    }
    chosen.gradient.base.update(repeating: 0, count: chosen.gradient.count)
  }

  /// Adds the gradient of chosen rows to that of the whole embedding.
  private func scatterChosen(_ scratch: Scratch, to gradients: UnsafeMutablePointer<Float>) {
    guard let own, let chosen = scratch.chosen, let tokens = target.draftVocabulary else { return }
    for (index, token) in tokens.enumerated() {
      ct_add(
        hidden, chosen.gradient.base + index * hidden,
        gradients + own.offset + Int(token) * hidden)
    }
  }

  /// Turns a chunk's logits into probabilities, sets the weights of its rows, and returns the weighted
  /// losses' sum.
  private func losses(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, _ start: Int, _ count: Int,
    _ scratch: Scratch
  ) -> Double {
    let targets = rows.targets + start
    if let teacher = scratch.teacher {
      guard let states = rows.states else { preconditionFailure("the objective needs states") }
      let width = target.embedding.width
      product.timesTransposed(
        rows: count, columns: choices, inner: width, states + start * width, width,
        target.head.base, width, into: teacher.base, choices)
      ct_softmax(count, choices, targets, teacher.base, &scratch.logMeans)
    }
    ct_draft_losses(
      count, choices, targets, scratch.logits.base, scratch.teacher?.base,
      scratch.teacher == nil ? nil : scratch.logMeans, &scratch.losses)
    switch objective.rowWeights {
    case .decay:
      for row in 0..<count { scratch.weights[row] = rows.weights[start + row] }
    case .pace:
      for block in stride(from: 0, to: count, by: rows.blockRows) {
        let range = block..<block + rows.blockRows
        let paced = DraftWeights.pace(
          range.map { targets[$0] < 0 ? nil : scratch.losses[$0].cross_entropy })
        scratch.weights.replaceSubrange(range, with: paced)
      }
    }
    if !scratch.entropies.isEmpty {
      ct_certain_entropies(count, choices, targets, scratch.logits.base, &scratch.entropies)
    }
    let confidence = confidenceLoss(parameters, rows, start, count, scratch)
    return (0..<count).reduce(confidence) { sum, row in
      let terms = scratch.losses[row]
      let entropy = scratch.entropies.isEmpty ? 0 : max(scratch.entropies[row], 0)
      return sum
        + Double(
          scratch.weights[row]
            * (objective.crossEntropy * terms.cross_entropy
              + objective.divergence * terms.divergence + objective.variation * terms.variation
              + objective.certainty * entropy))
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
