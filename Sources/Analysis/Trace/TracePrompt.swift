package import Files

package struct TracePrompt: Sendable, Equatable {
  package var number: Int
  /// The task it belongs to: the turns of one conversation share it.
  package var task: Int
  /// Which turn of the conversation it is, from 0.
  package var turn: Int
  /// What it is about, such as `writing`.
  package var category: String
  /// Where it stands: `prompts.jsonl line 3`.
  package var place: String
  /// Its ids, special tokens included.
  package var ids: [Token]

  package init(
    number: Int, task: Int, turn: Int = 0, category: String, place: String, ids: [Token]
  ) {
    self.number = number
    self.task = task
    self.turn = turn
    self.category = category
    self.place = place
    self.ids = ids
  }
}
