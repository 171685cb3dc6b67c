internal import Files
internal import Tensors

/// Chooses the drafts of a pass, place by place over all its blocks, so that heads read their weights once for
/// all of them.
final class BlockWalk {
  let heads: HeadStates
  private var due: [DraftedRow] = []  // all rows to choose of
  private var rows: [DraftedRow] = []  // those of one place
  private var owners: [Int] = []  // their blocks

  init(_ heads: [any BlockHead], _ room: HeadRoom) {
    self.heads = HeadStates(heads, room)
    due.reserveCapacity(room.rows)
    rows.reserveCapacity(room.blocks)
    owners.reserveCapacity(room.blocks)
  }

  /// Adjusts a row by itself.
  func adjust(_ row: DraftedRow) {
    rows.removeAll(keepingCapacity: true)
    rows.append(row)
    heads.prepare(rows)
    heads.adjust(rows)
  }

  /// Chooses what is due of each block.
  ///
  /// - Parameters:
  ///   - hidden: The pass's drafted rows, normed.
  ///   - logits: Theirs: [rows][choices].
  ///   - choose: Given a block's index, a draft's place in it and its logits, which it may overwrite, returns
  ///     the token.
  func run(
    _ blocks: ArraySlice<DrafterBlock>, hidden: ActivationRows, logits: UnsafeMutablePointer<Float>,
    choose: (_ block: Int, _ place: Int, _ logits: UnsafeMutablePointer<Float>) -> Token
  ) {
    func row(_ context: DrafterContext, _ place: Int) -> DraftedRow {
      let index = context.firstRow + place
      return DraftedRow(
        index: index, hidden: hidden.row(index), logits: logits + index * context.block.choices,
        previous: context.block.token(ofRow: place), before: place > 0 ? index - 1 : nil)
    }
    heads.begin()
    let places = 0..<blocks.reduce(0) { max($0, $1.count) }
    due.removeAll(keepingCapacity: true)
    for block in blocks {
      for place in places where block.context.block.isDue(place) {
        due.append(row(block.context, place))
      }
    }
    heads.prepare(due)
    for place in places {
      rows.removeAll(keepingCapacity: true)
      owners.removeAll(keepingCapacity: true)
      for index in blocks.indices where blocks[index].context.block.isDue(place) {
        rows.append(row(blocks[index].context, place))
        owners.append(index)
      }
      heads.adjust(rows)
      for (row, owner) in zip(rows, owners) {
        let token = choose(owner, place, row.logits)
        blocks[owner].context.block.set(token, at: place)
      }
    }
  }
}
