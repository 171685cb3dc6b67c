/// A grammar in the form that texts are matched with: one automaton over bytes for each rule, whose edges
/// may be other rules (a recursive transition network; Woods 1970).
///
/// It has no empty edges, every state leads to an end, and no rule begins with itself.
struct GrammarAutomaton: Sendable {
  struct ByteEdge: Equatable, Sendable {
    /// Classes of bytes.
    var classes: ClosedRange<UInt8>
    var target: Int32
  }

  /// A rule that is matched between two states.
  struct Call: Equatable, Sendable {
    var rule: Int32
    /// Where the caller goes on.
    var target: Int32
  }

  /// What errors call each rule: [rules].
  let names: [String]
  let root: Int
  /// The first state of each rule: [rules].
  let starts: [Int32]
  /// Rules in an order in which none begins with an earlier one: [rules].
  let order: [Int32]
  /// Whether a rule ends in a state: [states].
  let ends: [Bool]
  /// Edges by state: those of state `s` are `byteEdges[byteStarts[s]..<byteStarts[s + 1]]`.
  let byteEdges: [ByteEdge]
  let byteStarts: [Int32]
  /// Calls by state, likewise.
  let calls: [Call]
  let callStarts: [Int32]
  /// The class of every byte: [256]. Bytes of one class lead from every state to the same.
  let classes: [UInt8]
  let classCount: Int
  /// The byte of each class that has only one: [classes].
  let onlyBytes: [UInt8?]

  func edges(of state: Int32) -> ArraySlice<ByteEdge> {
    byteEdges[Int(byteStarts[Int(state)])..<Int(byteStarts[Int(state) + 1])]
  }

  func calls(of state: Int32) -> ArraySlice<Call> {
    calls[Int(callStarts[Int(state)])..<Int(callStarts[Int(state) + 1])]
  }

  /// Whether nothing can follow in the rule but its end.
  func isLast(_ state: Int32) -> Bool {
    ends[Int(state)] && edges(of: state).isEmpty && calls(of: state).isEmpty
  }
}
