import Files

/// Takes the empty edges out of a drawn automaton, and whatever leads to no end.
struct GrammarReducer {
  private let drawn: GrammarCompiler
  /// Targets of empty edges by state, rules that can be empty passed over: [states].
  private var passes: [[Int32]]
  private let bytesBySource: [[Int]]
  private let callsBySource: [[Int]]

  init(_ drawn: GrammarCompiler) {
    self.drawn = drawn
    passes = Self.group(drawn.emptyEdges, drawn.stateCount) { $0.source }
      .map { $0.map { drawn.emptyEdges[$0].target } }
    bytesBySource = Self.group(drawn.byteEdges, drawn.stateCount) { $0.source }
    callsBySource = Self.group(drawn.calls, drawn.stateCount) { $0.source }
    passOverEmptyRules()
  }

  private static func group<Edge>(
    _ edges: [Edge], _ states: Int, by key: (Edge) -> Int32
  ) -> [[Int]] {
    var groups = [[Int]](repeating: [], count: states)
    for (index, edge) in edges.enumerated() { groups[Int(key(edge))].append(index) }
    return groups
  }

  /// Adds an empty edge beside each call of a rule that can match nothing.
  private mutating func passOverEmptyRules() {
    var owner = [Int32](repeating: -1, count: drawn.stateCount)
    for (rule, stop) in drawn.stops.enumerated() { owner[Int(stop)] = Int32(rule) }
    var isEmpty = [Bool](repeating: false, count: drawn.starts.count)
    var waiting = [[Int32]](repeating: [], count: drawn.starts.count)
    var isReached = [Bool](repeating: false, count: drawn.stateCount)
    var open: [Int32] = []
    func reach(_ state: Int32) {
      guard !isReached[Int(state)] else { return }
      isReached[Int(state)] = true
      open.append(state)
    }
    for start in drawn.starts { reach(start) }
    while let state = open.popLast() {
      if owner[Int(state)] >= 0 {
        let rule = Int(owner[Int(state)])
        isEmpty[rule] = true
        waiting[rule].forEach(reach)
        waiting[rule] = []
      }
      passes[Int(state)].forEach(reach)
      for index in callsBySource[Int(state)] {
        let call = drawn.calls[index]
        if isEmpty[Int(call.rule)] {
          reach(call.target)
        } else {
          waiting[Int(call.rule)].append(call.target)
        }
      }
    }
    for call in drawn.calls where isEmpty[Int(call.rule)] {
      passes[Int(call.source)].append(call.target)
    }
  }

  /// Which states lead to the end of their rule.
  private func findLiving() -> [Bool] {
    let bytesByTarget = Self.group(drawn.byteEdges, drawn.stateCount) { $0.target }
    let callsByTarget = Self.group(drawn.calls, drawn.stateCount) { $0.target }
    var passesByTarget = [[Int32]](repeating: [], count: drawn.stateCount)
    for (source, targets) in passes.enumerated() {
      for target in targets { passesByTarget[Int(target)].append(Int32(source)) }
    }
    var owner = [Int32](repeating: -1, count: drawn.stateCount)
    for (rule, start) in drawn.starts.enumerated() { owner[Int(start)] = Int32(rule) }
    var isFinite = [Bool](repeating: false, count: drawn.starts.count)
    var waiting = [[Int32]](repeating: [], count: drawn.starts.count)
    var lives = [Bool](repeating: false, count: drawn.stateCount)
    var open: [Int32] = []
    func mark(_ state: Int32) {
      guard !lives[Int(state)] else { return }
      lives[Int(state)] = true
      open.append(state)
    }
    for stop in drawn.stops { mark(stop) }
    while let state = open.popLast() {
      if owner[Int(state)] >= 0 {
        let rule = Int(owner[Int(state)])
        isFinite[rule] = true
        waiting[rule].forEach(mark)
        waiting[rule] = []
      }
      passesByTarget[Int(state)].forEach(mark)
      for index in bytesByTarget[Int(state)] { mark(drawn.byteEdges[index].source) }
      for index in callsByTarget[Int(state)] {
        let call = drawn.calls[index]
        if isFinite[Int(call.rule)] {
          mark(call.source)
        } else {
          waiting[Int(call.rule)].append(call.source)
        }
      }
    }
    return lives
  }

  /// The automaton without empty edges.
  func automaton() throws(SpeculateError) -> GrammarAutomaton {
    let lives = findLiving()
    guard lives[Int(drawn.starts[drawn.rules.root])] else {
      throw SpeculateError(
        "the grammar describes no finite text: give its recursion a way to end")
    }
    let (classes, classCount, onlyBytes) = byteClasses()
    var walk = Walk(drawn.stateCount)
    var number = [Int32](repeating: -1, count: drawn.stateCount)
    var states: [Int32] = []
    func numbered(_ state: Int32) -> Int32 {
      if number[Int(state)] < 0 {
        number[Int(state)] = Int32(states.count)
        states.append(state)
      }
      return number[Int(state)]
    }
    for start in drawn.starts { _ = numbered(start) }
    var isStop = [Bool](repeating: false, count: drawn.stateCount)
    for stop in drawn.stops { isStop[Int(stop)] = true }
    var ends: [Bool] = []
    var byteEdges: [GrammarAutomaton.ByteEdge] = []
    var calls: [GrammarAutomaton.Call] = []
    var (byteStarts, callStarts): ([Int32], [Int32]) = ([0], [0])
    var place = 0
    var steps = 0
    while place < states.count {
      let reached = walk.from(states[place], passes)
      steps += reached.count
      ends.append(reached.contains { isStop[Int($0)] })
      for state in reached {
        for index in bytesBySource[Int(state)] where lives[Int(drawn.byteEdges[index].target)] {
          let edge = drawn.byteEdges[index]
          byteEdges.append(
            .init(
              classes: classes[Int(edge.bytes.lowerBound)]...classes[Int(edge.bytes.upperBound)],
              target: numbered(edge.target)))
        }
        for index in callsBySource[Int(state)] {
          let call = drawn.calls[index]
          guard lives[Int(call.target)], lives[Int(drawn.starts[Int(call.rule)])] else { continue }
          calls.append(.init(rule: call.rule, target: numbered(call.target)))
        }
      }
      guard max(steps, byteEdges.count, calls.count) <= GrammarCompiler.mostEdges else {
        throw GrammarCompiler.tooLarge
      }
      byteStarts.append(Int32(byteEdges.count))
      callStarts.append(Int32(calls.count))
      place += 1
    }
    let starts = drawn.starts.map { number[Int($0)] }
    let order = try order(starts) { calls[Int(callStarts[$0])..<Int(callStarts[$0 + 1])] }
    return GrammarAutomaton(
      names: drawn.rules.names, root: drawn.rules.root, starts: starts, order: order, ends: ends,
      byteEdges: byteEdges, byteStarts: byteStarts, calls: calls, callStarts: callStarts,
      classes: classes, classCount: classCount, onlyBytes: onlyBytes)
  }

  /// States that empty edges lead to.
  private struct Walk {
    private var stamps: [Int32]
    private var stamp: Int32 = 0
    private var reached: [Int32] = []

    init(_ states: Int) { stamps = [Int32](repeating: 0, count: states) }

    mutating func from(_ state: Int32, _ passes: [[Int32]]) -> [Int32] {
      stamp += 1
      reached.removeAll(keepingCapacity: true)
      reached.append(state)
      stamps[Int(state)] = stamp
      var next = 0
      while next < reached.count {
        for target in passes[Int(reached[next])] where stamps[Int(target)] != stamp {
          stamps[Int(target)] = stamp
          reached.append(target)
        }
        next += 1
      }
      return reached
    }
  }

  /// Bytes that no edge tells apart.
  private func byteClasses() -> (classes: [UInt8], count: Int, onlyBytes: [UInt8?]) {
    var begins = [Bool](repeating: false, count: 257)
    begins[0] = true
    for edge in drawn.byteEdges {
      begins[Int(edge.bytes.lowerBound)] = true
      begins[Int(edge.bytes.upperBound) + 1] = true
    }
    var classes: [UInt8] = []
    var sizes: [Int] = []
    for byte in 0..<256 {
      if begins[byte] { sizes.append(0) }
      sizes[sizes.count - 1] += 1
      classes.append(UInt8(sizes.count - 1))
    }
    var onlyBytes = [UInt8?](repeating: nil, count: sizes.count)
    for byte in 0..<256 where sizes[Int(classes[byte])] == 1 {
      onlyBytes[Int(classes[byte])] = UInt8(byte)
    }
    return (classes, sizes.count, onlyBytes)
  }

  /// Rules in an order in which none begins with an earlier one.
  private func order(
    _ starts: [Int32], calls: (Int) -> ArraySlice<GrammarAutomaton.Call>
  ) throws(SpeculateError) -> [Int32] {
    var order: [Int32] = []
    // 0 not seen, 1 on the way, 2 done.
    var marks = [UInt8](repeating: 0, count: starts.count)
    for first in starts.indices where marks[first] == 0 {
      var path: [(rule: Int, next: Int)] = [(first, 0)]
      marks[first] = 1
      while let (rule, next) = path.last {
        let own = calls(Int(starts[rule]))
        guard next < own.count else {
          marks[rule] = 2
          order.append(Int32(rule))
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let called = Int(own[own.startIndex + next].rule)
        if marks[called] == 1 {
          throw SpeculateError(
            "the rule \(quoted(drawn.rules.names[called])) begins with itself: write repetitions as"
              + " (…)* or let the rule come last")
        }
        guard marks[called] == 0 else { continue }
        marks[called] = 1
        path.append((called, 0))
      }
    }
    return order.reversed()
  }
}
