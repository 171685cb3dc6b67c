import CKernels
import Drafter
import Files
import Tensors

/// The head over the draft vocabulary, the heads behind the layers, and the objective's losses.
///
/// Works through the rows a chunk of whole blocks at a time, as ``VocabularyLoss`` does: logits of a
/// chunk become probabilities and then their own gradient in place. A borrowed head gets no gradient: it
/// is the target's own.
struct DraftLoss {
  let target: TargetRows
  let own: LinearLayer?  // [vocabulary][hidden], where the drafter has one
  let hidden: Int
  let choices: Int
  let heads: [any HeadLayer]
  let objective: DraftObjective
  let needsDistribution: Bool
  let product: MatrixProduct

  /// The drafted rows of a pass: whole blocks.
  struct Rows {
    var count: Int
    /// Drafted rows of a block.
    var blockRows: Int
    var x: UnsafePointer<Float>  // [count][hidden], normed
    var previous: UnsafePointer<Token>  // [count], the token before each row's own
    var targets: UnsafePointer<Int32>  // [count], draft indices, negative for none
    var weights: UnsafePointer<Float>  // [count]
    /// The target's last hidden states, normed, that chose each row's token: [count][target's width].
    var states: UnsafePointer<Float>?
  }

  final class Scratch {
    let logits: FloatBuffer  // [capacity][choices]
    let teacher: FloatBuffer?  // [capacity][choices]
    /// The rows of an own head that a draft vocabulary chooses, and their gradient: [choices][hidden].
    let chosen: (values: FloatBuffer, gradient: FloatBuffer)?
    fileprivate(set) var head: UnsafePointer<Float>  // [choices][hidden]
    let heads: [any HeadLayerState]
    let losses: UnsafeMutablePointer<ct_draft_terms>  // [capacity]
    var logMeans = [Float](repeating: 0, count: DraftChunk.capacity)
    var weights = [Float](repeating: 0, count: DraftChunk.capacity)
    /// Of rows that are right already; empty where the objective doesn't ask.
    var entropies: [Float]

    init(_ loss: DraftLoss) {
      let rows = DraftChunk.capacity
      logits = FloatBuffer(count: rows * loss.choices)
      teacher = loss.needsDistribution ? FloatBuffer(count: rows * loss.choices) : nil
      let size = loss.choices * loss.hidden
      chosen =
        loss.own != nil && loss.target.draftVocabulary != nil
        ? (FloatBuffer(count: size), FloatBuffer(count: size)) : nil
      head = UnsafePointer(chosen?.values.base ?? loss.target.head.base)
      var previous: [PreviousRows] = []
      heads = loss.heads.map { head in
        let state = head.makeState(previous: previous)
        if let made = state.previous { previous.append(made) }
        return state
      }
      losses = .allocate(capacity: rows)
      losses.initialize(repeating: ct_draft_terms(), count: rows)
      entropies = [Float](repeating: 0, count: loss.objective.certainty > 0 ? rows : 0)
    }

    deinit { losses.deallocate() }
  }

  /// Adds the gradients of heads and of an own head over the vocabulary, writes x's to `dX`, and returns the
  /// weighted losses' sum.
  func forwardBackward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, rows: Rows,
    scale: Float, scratch: Scratch, dX: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    let terms = ct_draft_terms(
      cross_entropy: objective.crossEntropy, divergence: objective.divergence,
      variation: objective.variation)
    forEachChunk(parameters, rows, scratch) { start, chunk in
      total += losses(parameters, rows, start, chunk, scratch)
      for head in scratch.heads { head.backwardLoss(gradients, chunk, scale: scale) }
      ct_draft_gradient(
        chunk.count, choices, chunk.targets, scratch.weights, scale, terms, objective.certainty,
        scratch.entropies.isEmpty ? nil : scratch.entropies, chunk.logits, scratch.teacher?.base)
      product.times(
        rows: chunk.count, columns: hidden, inner: choices, chunk.logits, choices, scratch.head,
        hidden, into: dX + start * hidden, hidden)
      if let own {
        product.transposedTimes(
          rows: choices, columns: hidden, inner: chunk.count, chunk.logits, choices, chunk.hidden,
          hidden, into: scratch.chosen?.gradient.base ?? gradients + own.offset, hidden,
          accumulate: true)
      }
      for head in scratch.heads.reversed() {
        head.backward(parameters, gradients: gradients, chunk)
      }
    }
    scatterChosen(scratch, to: gradients)
    return total
  }

  func loss(_ parameters: UnsafePointer<Float>, rows: Rows, scratch: Scratch) -> Double {
    var total = 0.0
    forEachChunk(parameters, rows, scratch) { start, chunk in
      total += losses(parameters, rows, start, chunk, scratch)
    }
    return total
  }

  /// Computes the logits of a chunk of whole blocks at a time, heads included.
  func forEachChunk(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, _ scratch: Scratch,
    _ body: (_ start: Int, _ chunk: DraftChunk) -> Void
  ) {
    precondition(rows.blockRows <= DraftChunk.capacity, "a chunk has room for a block")
    gatherHead(parameters, scratch)
    let size = DraftChunk.capacity / rows.blockRows * rows.blockRows
    for start in stride(from: 0, to: rows.count, by: size) {
      let chunk = DraftChunk(
        count: min(size, rows.count - start), hidden: rows.x + start * hidden,
        previous: rows.previous + start, targets: rows.targets + start,
        weights: rows.weights + start, logits: scratch.logits.base, choices: choices,
        losses: scratch.losses)
      product.timesTransposed(
        rows: chunk.count, columns: choices, inner: hidden, chunk.hidden, hidden, scratch.head,
        hidden, into: chunk.logits, choices)
      for head in scratch.heads { head.forward(parameters, chunk) }
      body(start, chunk)
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
        hidden, chosen.gradient.base + index * hidden, gradients + own.offset + Int(token) * hidden)
    }
  }

  /// Turns a chunk's logits into probabilities, sets the weights of its rows, and returns the weighted
  /// losses' sum.
  private func losses(
    _ parameters: UnsafePointer<Float>, _ rows: Rows, _ start: Int, _ chunk: DraftChunk,
    _ scratch: Scratch
  ) -> Double {
    let (count, targets) = (chunk.count, chunk.targets)
    if let teacher = scratch.teacher {
      guard let states = rows.states else { preconditionFailure("the objective needs states") }
      let width = target.embedding.width
      product.timesTransposed(
        rows: count, columns: choices, inner: width, states + start * width, width,
        target.head.base, width, into: teacher.base, choices)
      ct_softmax(count, choices, targets, teacher.base, &scratch.logMeans)
    }
    ct_draft_losses(
      count, choices, targets, chunk.logits, scratch.teacher?.base,
      scratch.teacher == nil ? nil : scratch.logMeans, scratch.losses)
    switch objective.rowWeights {
    case .decay:
      for row in 0..<count { scratch.weights[row] = chunk.weights[row] }
    case .pace:
      for block in stride(from: 0, to: count, by: rows.blockRows) {
        let range = block..<block + rows.blockRows
        let paced = DraftWeights.pace(
          range.map { targets[$0] < 0 ? nil : scratch.losses[$0].cross_entropy })
        scratch.weights.replaceSubrange(range, with: paced)
      }
    }
    if !scratch.entropies.isEmpty {
      ct_certain_entropies(count, choices, targets, chunk.logits, &scratch.entropies)
    }
    let own = scratch.heads.reduce(0) { $0 + $1.loss(parameters, chunk) }
    return (0..<count).reduce(own) { sum, row in
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
