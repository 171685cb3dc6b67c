package import Files
import Tensors

/// Drafting: passes over blocks, as many as their policies want.
extension DrafterRunner {
  /// Drafts a block for each of several sequences, in shared passes if they fit; the drafts are left in
  /// their contexts.
  ///
  /// An anchor stands at position `context.count`. As many rows are computed as training had
  /// (`DrafterConfiguration.rows(drafting:)`); only those that are drafted get logits. A block's drafts are
  /// to the bit those of passes of its own.
  /// - Parameters:
  ///   - blocks: Each of another context.
  ///   - choose: Given a block's index, a draft's place in it and its logits `[choices]`, which it may
  ///     overwrite, says what is proposed. Called after each pass for every mask in the order of places,
  ///     because heads look at the choice before.
  ///   - again: Given a block's index, is told that another pass was made for it, before what that proposes
  ///     is chosen.
  ///   - finish: Given a block's index, is told that it is drafted. If one pass made all its drafts and it
  ///     branches, it may ask for ``logits(of:after:in:)``.
  package func draft(
    _ blocks: [DrafterBlock],
    choose: (_ block: Int, _ place: Int, _ logits: UnsafeMutablePointer<Float>) -> DraftProposal,
    again: (_ block: Int) -> Void = { _ in }, finish: (_ block: Int) -> Void = { _ in }
  ) {
    if drafter.fusion != nil { project(blocks) }
    for first in stride(from: 0, to: blocks.count, by: maximumBlocks) {
      let part = blocks[first..<min(first + maximumBlocks, blocks.count)]
      for block in part { begin(block) }
      while part.contains(where: { $0.context.block.isOpen }) {
        let drafts = pass(part)
        if part.contains(where: \.branches) { keepRows(drafts) }
        for index in part.indices {
          let block = blocks[index].context.block
          if block.isOpen, block.passes > 1 { again(index) }
        }
        // Every worker has normed all rows.
        walk.run(part, hidden: scratch.normedForHead(0), logits: logits.base, choose: choose)
        for block in part where block.context.block.isOpen { step(block.context) }
      }
      for index in part.indices {
        end(blocks[index].context)
        finish(index)
      }
    }
  }

  /// The same where nobody asks how likely drafts are: indices of logits rows are chosen.
  package func draft(
    _ blocks: [DrafterBlock],
    choose: (_ block: Int, _ place: Int, _ logits: UnsafeMutablePointer<Float>) -> Int
  ) {
    draft(blocks) { DraftProposal(token: token(at: choose($0, $1, $2)), confidence: 0) }
  }

  private func begin(_ block: DrafterBlock) {
    let (context, configuration) = (block.context, drafter.configuration)
    precondition(
      block.count > 0 && block.count <= configuration.maximumDrafts,
      "a block drafts 1 to maximumDrafts tokens")
    context.start = context.count
    let room = context.cache.room - context.count - configuration.blockSize - 1
    context.block.begin(
      anchor: block.anchor, count: block.count, opening: context.policy.begin(context.round),
      limits: BlockLimits(
        vocabulary: configuration.vocabularySize, maskToken: configuration.maskToken,
        // Drafts have no features that a conditioned drafter could read.
        spare: drafter.fusion == nil
          ? max(0, min(context.round.most, room) - block.count) : 0))
  }

  /// Asks the policy, and makes drafts that more are to stand behind context.
  private func step(_ context: DrafterContext) {
    let before = context.block.base
    context.block.take(context.policy.next(context.block, context.round))
    guard context.block.base > before else { return }
    for row in 0..<context.block.base - before {
      guard let token = context.block.token(atPlace: before + row - 1) else { break }
      if context.tokens.count == Self.waitingRows { read(context) }
      context.tokens.append(token)
    }
  }

  private func end(_ context: DrafterContext) {
    if context.count > context.start { context.rewind(to: context.start) }
    context.finishBlock()
  }

  private func keepRows(_ count: Int) {
    let rows = untouched ?? FloatBuffer(count: logits.count + columns)
    untouched = rows
    rows.base.update(from: logits.base, count: count * columns)
  }

  /// The logits of a place as if another token than the draft stood before it: [columns].
  ///
  /// The caller may overwrite them; the next call does.
  ///
  /// - Parameters:
  ///   - context: Of a block that branches and is just drafted, in one pass.
  ///   - goesOn: Whether the token was chosen of the place that was asked for last.
  package func logits(
    of place: Int, after token: Token, in context: DrafterContext, goesOn: Bool = false
  ) -> UnsafeMutablePointer<Float> {
    guard let untouched else { preconditionFailure("the block doesn't branch") }
    let index = context.firstRow + place
    let own = logits.count / columns
    let row = untouched.base + logits.count
    row.update(from: untouched.base + index * columns, count: columns)
    walk.adjust(
      DraftedRow(
        index: own, hidden: scratch.normedForHead(0).row(index), logits: row, previous: token,
        before: goesOn ? own : place > 0 ? index - 1 : nil))
    return row
  }

  /// How likely a draft is accepted, all before it being right; known while it is chosen.
  ///
  /// - Parameter probability: By the drafter's distribution; it is the answer where no head has another.
  package func confidence(_ place: Int, of context: DrafterContext, probability: Float) -> Float {
    walk.heads.confidence(of: context.row(of: place), probability: probability)
  }

  /// A pass over blocks that are open and the tokens that wait before them.
  ///
  /// - Returns: How many rows have logits.
  private func pass(_ blocks: ArraySlice<DrafterBlock>) -> Int {
    let configuration = drafter.configuration
    var room = Self.waitingRows
    for block in blocks {
      if block.context.tokens.count > room { read(block.context) }
      room -= block.context.tokens.count
    }
    plan.reset()
    var drafts = 0
    for block in blocks where block.context.block.isOpen {
      addWaiting(block.context)
      let count = block.context.block.passCount
      let first = plan.count + (configuration.samplesAnchor ? 0 : 1)
      for place in 0..<count { headRows[drafts + place] = first + place }
      block.context.firstRow = drafts
      drafts += count
      let rows = configuration.rows(drafting: count)
      add(block.context, rows: rows)
      block.context.block.countPass(rows: rows)
    }
    runLayers()
    projectLogits(count: drafts)
    if let observer {
      let normed = scratch.normedForHead(0)
      observer(
        ProductInput(
          product: "lm_head", rows: Array(0..<drafts), width: normed.width,
          values: normed.values.base))
    }
    for block in blocks where block.context.block.isOpen { settle(block.context) }
    return drafts
  }

  /// The token that an index of a logits row stands for.
  package func token(at choice: Int) -> Token { drafter.draftVocabulary?[choice] ?? Token(choice) }

  /// Adds the anchor, known drafts and masks, rows that see the context and one another; of a causal drafter
  /// those before them.
  private func add(_ context: DrafterContext, rows: Int) {
    let start = context.count
    let isCausal = drafter.configuration.isCausal
    for row in 0..<rows {
      let shown = context.block.token(ofRow: row)
      addRow(
        shown ?? drafter.configuration.maskToken, context, position: start + row,
        visible: 0..<start + (isCausal ? row + 1 : rows), place: row)
      if shown == nil, !context.block.softened.isEmpty { soften(row, of: context.block) }
    }
  }

  /// Mixes the embeddings of what is likely at a mask to that of the row that was added last.
  private func soften(_ row: Int, of block: DenoisedBlock) {
    guard let soft = block.softened.first(where: { $0.place == block.base + row - 1 }) else {
      return
    }
    let hidden = drafter.configuration.shape.hidden
    let target = scratch.residual.base + (plan.count - 1) * hidden
    let part = FloatBuffer(count: hidden)
    for (token, weight) in soft.mixture where weight != 0 {
      copy(token, to: part.base)
      for column in 0..<hidden { target[column] += weight * part.base[column] }
    }
  }

  private func projectLogits(count: Int) {
    let columns = columns
    let rows = Rows(rows: UnsafeBufferPointer(rebasing: headRows[..<count]))
    let (drafter, head, scratch, logits, workers) = (drafter, head, scratch, logits, workers)
    let factors = drafter.configuration.factors
    workers.run { worker in
      let normed = scratch.normForHead(
        rows: rows.rows, drafter.finalNorm, worker: worker)
      let panels = (0..<head.panelCount).share(of: worker, among: workers.count)
      head.multiply(normed, into: logits.base, stride: columns, count: count, panels: panels)
      let own = head.rows(of: panels)
      guard factors.logits != 1 || factors.cap != nil, !own.isEmpty else { return }
      for row in 0..<count {
        let values = logits.base + row * columns + own.lowerBound
        if factors.logits != 1 { Kernels.scale(values, by: factors.logits, count: own.count) }
        if let cap = factors.cap { Kernels.softCap(values, count: own.count, cap: cap) }
      }
    }
  }

  // Pointers that a region's workers read.
  private struct Rows: @unchecked Sendable { let rows: UnsafeBufferPointer<Int> }
}

/// What is proposed for a place of a block.
package struct DraftProposal: Sendable, Equatable {
  package var token: Token
  /// How likely it is accepted, all before it being right.
  package var confidence: Float

  package init(token: Token, confidence: Float) {
    self.token = token
    self.confidence = confidence
  }
}
