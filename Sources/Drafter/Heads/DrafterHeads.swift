import Files
import Tensors

/// The heads of a drafter, in the order in which they work on a row.
package struct DrafterHeads: Sendable, Equatable {
  /// Every kind of head, in that order.
  package static let kinds: [any BlockHeadConfiguration.Type] = [
    MarkovHeadConfiguration.self, CandidateSelectorConfiguration.self,
    ConfidenceHeadConfiguration.self,
  ]

  package let list: [any BlockHeadConfiguration]

  package init() { list = [] }

  package init(_ heads: [any BlockHeadConfiguration]) {
    list = Self.kinds.flatMap { kind in heads.filter { type(of: $0) == kind } }
  }

  package init(_ heads: (any BlockHeadConfiguration)?...) { self.init(heads.compactMap { $0 }) }

  /// Reads the heads that `config.json` describes.
  ///
  /// - Throws: `SpeculateError` when a value is out of range or asks for what isn't supported.
  init(_ file: ConfigurationFile) throws {
    var list: [any BlockHeadConfiguration] = []
    var previousWidth = 0
    for kind in Self.kinds {
      guard let head = try kind.init(file, previousWidth: previousWidth) else { continue }
      list.append(head)
      previousWidth += head.previousWidth
    }
    self.list = list
  }

  var members: [String: JSONValue] {
    zip(list, previousWidths).reduce(into: [:]) { members, head in
      members.merge(head.0.members(previousWidth: head.1)) { _, new in new }
    }
  }

  /// What goes into the drafter's own section instead.
  var settings: [String: JSONValue] {
    list.reduce(into: [:]) { settings, head in
      settings.merge(head.settings) { _, new in new }
    }
  }

  /// The first head of a kind, if there is one.
  package func first<Head: BlockHeadConfiguration>(_ kind: Head.Type) -> Head? {
    list.lazy.compactMap { $0 as? Head }.first
  }

  /// Values that the heads before each make of the token before a row.
  package var previousWidths: [Int] {
    list.indices.map { list[..<$0].reduce(0) { $0 + $1.previousWidth } }
  }

  /// What reports say of every kind of head.
  package var descriptions: [(name: String, value: String)] {
    Self.kinds.map { kind in
      (kind.name, list.first { type(of: $0) == kind }?.summary ?? "none")
    }
  }

  package static func == (one: Self, other: Self) -> Bool {
    one.list.count == other.list.count && zip(one.list, other.list).allSatisfy { $0.equals($1) }
  }
}

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

  /// Forgets the rows of the pass before.
  package func begin() {
    for state in states { state.begin() }
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
