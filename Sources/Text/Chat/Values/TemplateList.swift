/// A list, or something else that holds values in order. It never changes.
struct TemplateList: Sendable {
  /// What Python would have, which tells how it prints, compares and is written as JSON.
  enum Kind: Equatable, Sendable {
    case list
    case tuple
    /// A tuple of `groupby`, whose values have the names `grouper` and `list`.
    case group
    case range(start: Int, stop: Int, step: Int)
    /// What a mapping's `keys()`, `values()` and `items()` show of it.
    case keys, values, items
  }

  let elements: [TemplateValue]
  let kind: Kind
  /// As `TemplateValue.depth`, at least 1.
  let depth: Int
  /// As `TemplateValue.weight`.
  let weight: Int

  init(_ elements: [TemplateValue], kind: Kind = .list) throws {
    self.elements = elements
    self.kind = kind
    depth = try Self.depth(of: elements)
    weight = Self.weight(of: elements)
  }

  var isTuple: Bool { kind == .tuple || kind == .group }

  /// Whether it has elements by number.
  var isSequence: Bool { ![.keys, .values, .items].contains(kind) }

  /// Whether another may be equal to it, or stand before it: lists to lists, tuples to tuples.
  func isComparable(to other: TemplateList) -> Bool {
    switch (kind, other.kind) {
    case (.range, .range): true
    case (.keys, .keys), (.items, .items): true
    case (.values, _), (_, .values): false
    default: kind == other.kind || isTuple && other.isTuple
    }
  }

  /// The depth of something that consists of parts.
  static func depth(of parts: [TemplateValue]) throws -> Int {
    let depth = 1 + parts.reduce(0) { max($0, $1.depth) }
    guard depth <= TemplateLimits.depth else { throw TemplateLimits.tooDeep }
    return depth
  }

  /// The weight of something that consists of parts; bounded, since sharing may square it.
  static func weight(of parts: [TemplateValue]) -> Int {
    parts.reduce(1) { min($0 + $1.weight, 1 << 32) }
  }
}
