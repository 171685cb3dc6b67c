import Files

/// The states in which texts of a grammar can be, made as they are met.
///
/// A state is a set of pairs (state of the automaton, where to return), so that a byte is one look into a table
/// once its step was made. Returns are nodes that all callers of a rule at one place share, as in a generalised
/// LL parser (Scott, Johnstone 2010) with equal nodes made one; a call in last place returns where its caller
/// does, so that lists written by recursion don't grow. However ambiguous a grammar is, a step takes time
/// polynomial in the length of the text, and what would take more than ``mostPairs`` is an error.
final class GrammarStates {
  /// The state from which nothing is possible.
  static let dead: Int32 = 0

  let automaton: GrammarAutomaton
  /// Grows when all states were forgotten, and numbers of states are void.
  private(set) var epoch = 0
  /// The state of the empty text.
  private(set) var start: Int32 = 0

  /// The pairs of each state that take a byte, ascending, and ``accepted`` where a text may end: [states].
  private var pairs: [[UInt64]] = []
  private var numbers: [[UInt64]: Int32] = [:]
  /// Where to go on behind a rule: [nodes] of pairs.
  private var nodes: [[UInt64]] = []
  private var nodeNumbers: [[UInt64]: Int32] = [:]
  /// The state behind each class of bytes, −1 where it isn't known: [states][classes].
  private var table: [Int32] = []
  /// What ``pairs`` and ``nodes`` hold, and the table, in words of memory.
  private var words = 0
  /// Pairs that were looked at since ``beginQuestion()``.
  private var work = 0

  // What a step works in.
  private var open: [UInt64] = []
  private var seen: Set<UInt64> = []
  private var taking: [UInt64] = []
  /// Who calls each rule at this place: [rules].
  private var callers: [[UInt64]]
  private var isCalled: [Bool]

  /// A pair that stands for the end of the text.
  private static let accepted = UInt64.max
  /// The most pairs of a state.
  static let mostPairs = 1 << 12
  /// The most pairs that one question may have to look at.
  static let mostWork = 1 << 24
  /// Words of memory that states never pass.
  static let mostWords = 64 << 20
  /// Words behind which they are forgotten when they can be.
  private let usualWords: Int

  init(_ automaton: GrammarAutomaton, usualWords: Int) throws(SpeculateError) {
    self.automaton = automaton
    self.usualWords = usualWords
    callers = [[UInt64]](repeating: [], count: automaton.starts.count)
    isCalled = [Bool](repeating: false, count: automaton.starts.count)
    try begin()
  }

  private func begin() throws(SpeculateError) {
    let none = try state([])
    assert(none == Self.dead)
    callers[automaton.root] = [Self.accepted]
    isCalled[automaton.root] = true
    // A grammar that allows the empty text ends at once.
    let isEmpty = automaton.ends[Int(automaton.starts[automaton.root])]
    start = try close(accepts: isEmpty)
  }

  /// Forgets all states if they take much memory. Their numbers are void then, and ``epoch`` has grown.
  func trim() throws(SpeculateError) {
    guard words > usualWords else { return }
    pairs.removeAll()
    numbers.removeAll()
    nodes.removeAll()
    nodeNumbers.removeAll()
    table.removeAll()
    words = 0
    epoch += 1
    try begin()
  }

  /// Begins to count what is looked at: one question of a caller is answered in bounded time, or not at all.
  func beginQuestion() { work = 0 }

  /// Whether a text in this state may end.
  func accepts(_ state: Int32) -> Bool { pairs[Int(state)].last == Self.accepted }

  /// The state behind a byte.
  ///
  /// - Throws: ``SpeculateError`` when the grammar is too ambiguous.
  @inline(__always)
  func step(_ state: Int32, _ byte: UInt8) throws(SpeculateError) -> Int32 {
    try step(state, classOf: Int(automaton.classes[Int(byte)]))
  }

  @inline(__always)
  private func step(_ state: Int32, classOf number: Int) throws(SpeculateError) -> Int32 {
    let known = table[Int(state) * automaton.classCount + number]
    return known >= 0 ? known : try makeStep(state, number)
  }

  /// The state behind some bytes.
  func step(_ state: Int32, _ bytes: some Sequence<UInt8>) throws(SpeculateError) -> Int32 {
    var state = state
    for byte in bytes {
      state = try step(state, byte)
      guard state != Self.dead else { break }
    }
    return state
  }

  /// The only byte that is possible, and the state behind it; `nil` if others are, or the text may end.
  func onlyByte(_ state: Int32) throws(SpeculateError) -> (byte: UInt8, next: Int32)? {
    guard !accepts(state) else { return nil }
    var found: (byte: UInt8, next: Int32)?
    for number in 0..<automaton.classCount {
      let next = try step(state, classOf: number)
      guard next != Self.dead else { continue }
      guard found == nil, let byte = automaton.onlyBytes[number] else { return nil }
      found = (byte, next)
    }
    return found
  }

  /// Whether a text in this state can do nothing but end.
  func mustEnd(_ state: Int32) -> Bool { pairs[Int(state)] == [Self.accepted] }

  // MARK: Steps

  private func makeStep(_ state: Int32, _ number: Int) throws(SpeculateError) -> Int32 {
    for pair in pairs[Int(state)] where pair != Self.accepted {
      for edge in automaton.edges(of: Int32(pair >> 32))
      where edge.classes.contains(UInt8(number)) {
        add(edge.target, UInt32(truncatingIfNeeded: pair))
      }
    }
    let next = try close(accepts: false)
    table[Int(state) * automaton.classCount + number] = next
    return next
  }

  private func add(_ state: Int32, _ node: UInt32) {
    let pair = UInt64(state) << 32 | UInt64(node)
    if seen.insert(pair).inserted { open.append(pair) }
  }

  /// Follows ends and calls of what was added, and of rules that are called, until bytes are needed.
  private func close(accepts: Bool) throws(SpeculateError) -> Int32 {
    var accepts = accepts
    defer {
      open.removeAll(keepingCapacity: true)
      seen.removeAll(keepingCapacity: true)
      taking.removeAll(keepingCapacity: true)
    }
    while let pair = open.popLast() {
      guard seen.count <= Self.mostPairs, work <= Self.mostWork else { throw Self.tooAmbiguous }
      let (state, node) = (Int32(pair >> 32), UInt32(truncatingIfNeeded: pair))
      if automaton.ends[Int(state)] {
        work += nodes[Int(node)].count
        for target in nodes[Int(node)] {
          if target == Self.accepted {
            accepts = true
          } else {
            add(Int32(target >> 32), UInt32(truncatingIfNeeded: target))
          }
        }
      }
      take(state, node)
    }
    // Every rule comes behind all that begin with it, so that all its callers are known.
    for rule in automaton.order where isCalled[Int(rule)] {
      isCalled[Int(rule)] = false
      let own = callers[Int(rule)]
      callers[Int(rule)].removeAll(keepingCapacity: true)
      let node = try self.node(own)
      // A rule that matches nothing was passed over where it is called.
      if seen.insert(UInt64(automaton.starts[Int(rule)]) << 32 | UInt64(node)).inserted {
        take(automaton.starts[Int(rule)], node)
      }
    }
    guard taking.count <= Self.mostPairs else { throw Self.tooAmbiguous }
    taking.sort()
    if accepts { taking.append(Self.accepted) }
    return try state(taking)
  }

  /// Notes that a state takes bytes, and whom it calls.
  private func take(_ state: Int32, _ node: UInt32) {
    if !automaton.edges(of: state).isEmpty { taking.append(UInt64(state) << 32 | UInt64(node)) }
    work += 1 + automaton.calls(of: state).count
    for call in automaton.calls(of: state) {
      isCalled[Int(call.rule)] = true
      if automaton.isLast(call.target) {
        work += nodes[Int(node)].count
        callers[Int(call.rule)] += nodes[Int(node)]
      } else {
        callers[Int(call.rule)].append(UInt64(call.target) << 32 | UInt64(node))
      }
    }
  }

  private static let tooAmbiguous = SpeculateError(
    "the grammar is too ambiguous: the text so far can be read in more than \(mostPairs) ways; make its rules"
      + " exclude each other")

  private func state(_ content: [UInt64]) throws(SpeculateError) -> Int32 {
    if let known = numbers[content] { return known }
    words += 2 * content.count + automaton.classCount / 2 + 16
    guard words <= Self.mostWords else {
      throw SpeculateError(
        "the grammar needs more than \(Self.mostWords >> 17) MB for one token: make its rules simpler"
      )
    }
    let number = Int32(pairs.count)
    pairs.append(content)
    numbers[content] = number
    table += repeatElement(-1, count: automaton.classCount)
    if content.isEmpty {
      for slot in table.indices.suffix(automaton.classCount) { table[slot] = Self.dead }
    }
    return number
  }

  private func node(_ callers: [UInt64]) throws(SpeculateError) -> UInt32 {
    guard callers.count <= 16 * Self.mostPairs else { throw Self.tooAmbiguous }
    var content = callers.sorted()
    if content.count > 1 {
      var last = 0
      for index in 1..<content.count where content[index] != content[last] {
        last += 1
        content[last] = content[index]
      }
      content.removeLast(content.count - 1 - last)
    }
    if let known = nodeNumbers[content] { return UInt32(known) }
    words += 2 * content.count + 16
    nodes.append(content)
    nodeNumbers[content] = Int32(nodes.count - 1)
    return UInt32(nodes.count - 1)
  }
}
