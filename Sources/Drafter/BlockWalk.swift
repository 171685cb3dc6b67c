internal import Files
internal import Tensors

/// Chooses the drafts of a pass, place by place over all its blocks, so that heads read their weights once for
/// all of them.
final class BlockWalk {
  let heads: HeadStates
  private let columns: Int
  /// The columns that stand for tokens.
  var choices: Int
  /// What they stand for, ascending; nil where that is their index.
  private let vocabulary: [Token]?
  private var due: [DraftedRow] = []  // all rows to choose of
  private var rows: [DraftedRow] = []  // those of one place
  private var owners: [Int] = []  // their blocks

  init(_ heads: [any BlockHead], _ room: HeadRoom, vocabulary: [Token]?) {
    self.heads = HeadStates(heads, room)
    self.vocabulary = vocabulary
    columns = room.choices
    choices = columns
    due.reserveCapacity(room.rows)
    rows.reserveCapacity(room.blocks)
    owners.reserveCapacity(room.blocks)
  }

  private func column(_ token: Token) -> Int? {
    guard let column = vocabulary.map({ $0.column(of: token) }) ?? Int(token),
      (0..<choices).contains(column)
    else { return nil }
    return column
  }

  /// Adjusts a row by itself.
  func adjust(_ row: DraftedRow) {
    rows.removeAll(keepingCapacity: true)
    rows.append(row)
    heads.prepare(rows)
    heads.adjust(rows)
  }

  /// Takes what a pass proposes for every mask of the blocks that it was for.
  ///
  /// - Parameters:
  ///   - hidden: The pass's drafted rows, normed.
  ///   - logits: Theirs: [rows][choices].
  ///   - choose: Given a block's index, a draft's place in it and its logits, which it may overwrite, returns
  ///     the proposal.
  func run(
    _ blocks: ArraySlice<DrafterBlock>, hidden: ActivationRows, logits: UnsafeMutablePointer<Float>,
    choose: (_ block: Int, _ place: Int, _ logits: UnsafeMutablePointer<Float>) -> DraftProposal
  ) {
    func row(_ context: DrafterContext, _ place: Int, _ previous: Token?) -> DraftedRow {
      let index = context.row(of: place)
      return DraftedRow(
        index: index, hidden: hidden.row(index), logits: logits + index * columns,
        previous: previous, before: place > context.block.base ? index - 1 : nil)
    }
    heads.begin()
    due.removeAll(keepingCapacity: true)
    var rounds = 0
    for block in blocks where block.context.block.isOpen {
      let drafted = block.context.block
      rounds = max(rounds, drafted.passCount)
      for place in drafted.base..<drafted.drafts.count where walks(block.context, place) {
        due.append(row(block.context, place, drafted.token(atPlace: place - 1)))
      }
    }
    heads.prepare(due)
    for round in 0..<rounds {
      rows.removeAll(keepingCapacity: true)
      owners.removeAll(keepingCapacity: true)
      for index in blocks.indices {
        let context = blocks[index].context
        let place = context.block.base + round
        guard context.block.isOpen, place < context.block.drafts.count, walks(context, place) else {
          continue
        }
        rows.append(row(context, place, context.block.shown(before: place)))
        owners.append(index)
      }
      heads.adjust(rows)
      for (row, owner) in zip(rows, owners) {
        let context = blocks[owner].context
        let place = context.block.base + round
        look(at: row, context, place)
        guard context.block.isMask(place) else { continue }
        let proposal = choose(owner, place, row.logits)
        context.block.propose(proposal.token, confidence: proposal.confidence, at: place)
      }
    }
  }

  /// Whether a pass's row of a place is looked at: a mask's, or any where the policy sees distributions.
  private func walks(_ context: DrafterContext, _ place: Int) -> Bool {
    context.block.isMask(place) || context.sight > .proposals
  }

  /// Adds the policy's biases to a row, and keeps of it what the policy sees.
  private func look(at row: DraftedRow, _ context: DrafterContext, _ place: Int) {
    for bias in context.block.biases where bias.place == place {
      if let column = column(bias.token) { row.logits[column] += bias.value }
    }
    guard context.sight > .proposals else { return }
    context.block.see(
      RowDistribution(
        row.logits, count: choices, keepsLogits: context.sight == .logits, vocabulary: vocabulary),
      at: place)
  }
}
