import Files

/// Makes the automaton of rules: states with empty edges first (Thompson 1968), then without.
///
/// Whatever the rules are, it ends in bounded time and memory, or in an error.
struct GrammarCompiler {
  /// The most states, and the most edges of each kind: a few times what the largest schemas in use need.
  static let mostStates = 1 << 17
  static let mostEdges = 1 << 20

  struct ByteEdge {
    var source: Int32
    var bytes: ClosedRange<UInt8>
    var target: Int32
  }

  struct Call {
    var source: Int32
    var rule: Int32
    var target: Int32
  }

  let rules: GrammarRules
  private(set) var stateCount = 0
  private(set) var byteEdges: [ByteEdge] = []
  private(set) var calls: [Call] = []
  private(set) var emptyEdges: [(source: Int32, target: Int32)] = []
  /// The first and the last state of each rule: [rules].
  private(set) var starts: [Int32] = []
  private(set) var stops: [Int32] = []

  /// - Throws: ``SpeculateError`` for a grammar that is too large.
  private init(_ rules: GrammarRules) throws(SpeculateError) {
    self.rules = rules
    for body in rules.bodies {
      let (start, stop) = (try addState(), try addState())
      starts.append(start)
      stops.append(stop)
      try add(body, from: start, to: stop)
    }
  }

  /// Compiles rules.
  ///
  /// - Throws: ``SpeculateError`` for a grammar that is too large, that describes no finite text, or of which
  ///   a rule begins with itself.
  static func compile(_ rules: GrammarRules) throws(SpeculateError) -> GrammarAutomaton {
    let drawn = try GrammarCompiler(rules)
    return try GrammarReducer(drawn).automaton()
  }

  private mutating func addState() throws(SpeculateError) -> Int32 {
    guard stateCount < Self.mostStates else { throw Self.tooLarge }
    stateCount += 1
    return Int32(stateCount - 1)
  }

  static let tooLarge = SpeculateError(
    "the grammar is too large: use smaller counts of repetitions, or fewer rules")

  private mutating func add(
    _ expression: GrammarExpression, from source: Int32, to target: Int32
  ) throws(SpeculateError) {
    guard max(byteEdges.count, calls.count, emptyEdges.count) < Self.mostEdges else {
      throw Self.tooLarge
    }
    switch expression {
    case .bytes(let bytes):
      try add(path: bytes.map { $0...$0 }, from: source, to: target)
    case .scalars(let ranges):
      for range in ranges {
        for path in UTF8Ranges.sequences(range) { try add(path: path, from: source, to: target) }
      }
    case .sequence(let parts):
      var place = source
      for (index, part) in parts.enumerated() {
        let next = index == parts.count - 1 ? target : try addState()
        try add(part, from: place, to: next)
        place = next
      }
      if parts.isEmpty { emptyEdges.append((source, target)) }
    case .choice(let parts):
      let texts = parts.compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
      guard texts.count < parts.count else {
        return try add(texts: texts, from: source, to: target)
      }
      for part in parts { try add(part, from: source, to: target) }
    case .repeated(let part, let least, let most):
      try add(part, least: least, most: most, from: source, to: target)
    case .rule(let rule):
      calls.append(Call(source: source, rule: Int32(rule), target: target))
    }
  }

  /// Adds texts of which one is chosen, with their common beginnings merged.
  private mutating func add(
    texts: [[UInt8]], from source: Int32, to target: Int32
  ) throws(SpeculateError) {
    let root = try addState()
    emptyEdges.append((source, root))
    /// The state behind a state and a byte.
    var nexts: [Int: Int32] = [:]
    for text in texts {
      var place = root
      for byte in text {
        let step = Int(place) << 8 | Int(byte)
        if let next = nexts[step] {
          place = next
          continue
        }
        let next = try addState()
        byteEdges.append(ByteEdge(source: place, bytes: byte...byte, target: next))
        nexts[step] = next
        place = next
      }
      emptyEdges.append((place, target))
    }
  }

  private mutating func add(
    path: [ClosedRange<UInt8>], from source: Int32, to target: Int32
  ) throws(SpeculateError) {
    guard !path.isEmpty else { return emptyEdges.append((source, target)) }
    var place = source
    for (index, bytes) in path.enumerated() {
      let next = index == path.count - 1 ? target : try addState()
      byteEdges.append(ByteEdge(source: place, bytes: bytes, target: next))
      place = next
    }
  }

  private mutating func add(
    _ part: GrammarExpression, least: Int, most: Int?, from source: Int32, to target: Int32
  ) throws(SpeculateError) {
    // A part may go on from its own end, so that each repetition gets states of its own.
    var place = try addState()
    emptyEdges.append((source, place))
    for _ in 0..<least {
      let next = try addState()
      try add(part, from: place, to: next)
      place = next
    }
    guard let most else {
      let next = try addState()
      try add(part, from: place, to: next)
      emptyEdges.append((next, place))
      return emptyEdges.append((place, target))
    }
    for _ in least..<max(least, most) {
      emptyEdges.append((place, target))
      let next = try addState()
      try add(part, from: place, to: next)
      place = next
    }
    emptyEdges.append((place, target))
  }
}
