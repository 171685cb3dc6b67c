/// A drafter's heads at work, one after the other.
package struct HeadStates {
  private let states: [any BlockHeadState]

  package init(_ heads: [any BlockHead], _ room: HeadRoom) {
    var room = room
    var states: [any BlockHeadState] = []
    for head in heads {
      let state = head.makeState(room)
      if let previous = state.previous { room.previous.append(previous) }
      states.append(state)
    }
    self.states = states
  }

  /// Takes all rows of a pass that are still to be chosen.
  package func prepare(_ rows: [DraftedRow]) {
    for state in states { state.prepare(rows) }
  }

  /// Adjusts rows of one place, each of another block.
  package func adjust(_ rows: [DraftedRow]) {
    guard !rows.isEmpty else { return }
    for state in states { state.adjust(rows) }
  }

  /// How likely the draft of a row is accepted, all before it being right.
  ///
  /// - Parameter probability: By the drafter's distribution; it is the answer where no head has another.
  package func confidence(of row: Int, probability: Float) -> Float {
    states.reduce(probability) { $1.confidence(of: row, probability: $0) }
  }
}
