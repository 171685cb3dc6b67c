/// A mapping in the order in which its members came. It never changes.
struct TemplateMapping: Sendable {
  let keys: [TemplateValue]
  let values: [TemplateValue]
  private let places: [TemplateKey: Int]
  /// As `TemplateValue.depth`, at least 1.
  let depth: Int
  /// As `TemplateValue.weight`.
  let weight: Int

  /// A mapping; of equal keys the last value counts, at the place of the first.
  ///
  /// - Throws: `TemplateProblem` when a key is a list or a mapping, which have no place in one.
  init(_ members: [(key: TemplateValue, value: TemplateValue)]) throws {
    var keys: [TemplateValue] = []
    var values: [TemplateValue] = []
    var places: [TemplateKey: Int] = [:]
    for (value, member) in members {
      let key = try TemplateKey(value)
      if let place = places[key] {
        values[place] = member
      } else {
        places[key] = keys.count
        keys.append(value)
        values.append(member)
      }
    }
    self.keys = keys
    self.values = values
    self.places = places
    depth = try TemplateList.depth(of: keys + values)
    weight = Self.weight(keys, values)
  }

  /// A mapping by texts, as `init(_:)`.
  init(_ members: [(key: String, value: TemplateValue)]) throws {
    try self.init(members.map { (key: .string($0.key), value: $0.value) })
  }

  /// A mapping of texts to texts; no key comes twice.
  init(texts: [(key: String, value: String)]) {
    keys = texts.map { .string($0.key) }
    values = texts.map { .string($0.value) }
    places = Dictionary(uniqueKeysWithValues: texts.enumerated().map { (.text($1.key), $0) })
    depth = 1
    weight = Self.weight(keys, values)
  }

  private static func weight(_ keys: [TemplateValue], _ values: [TemplateValue]) -> Int {
    min(TemplateList.weight(of: values) + TemplateList.weight(of: keys), 1 << 32)
  }

  subscript(key: String) -> TemplateValue? { places[.text(key)].map { values[$0] } }

  subscript(key: TemplateKey) -> TemplateValue? { places[key].map { values[$0] } }

  var members: [(key: TemplateValue, value: TemplateValue)] {
    zip(keys, values).map { (key: $0, value: $1) }
  }
}

/// What mappings tell their keys apart by, as Python does: 1, 1.0 and true are one key, and texts are equal
/// when their characters are, not when they look alike.
enum TemplateKey: Hashable, Sendable {
  case null
  case text(String)
  case integer(Int)
  case float(Double)
  indirect case tuple([TemplateKey])

  /// - Throws: `TemplateProblem` for what can't be a key.
  init(_ value: TemplateValue) throws {
    switch value {
    case .null: self = .null
    case .string(let text), .markup(let text): self = .text(text)
    case .bool(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .float(let value): self = Int(exactly: value).map { .integer($0) } ?? .float(value)
    case .list(let list) where list.isTuple:
      self = .tuple(try list.elements.map { try TemplateKey($0) })
    default: throw TemplateProblem("a '\(value.typeName)' can't be a key")
    }
  }

  static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
    case (.integer(let left), .integer(let right)): left == right
    case (.float(let left), .float(let right)): left == right
    case (.tuple(let left), .tuple(let right)): left == right
    default: false
    }
  }

  func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .text(let text): for byte in text.utf8 { hasher.combine(byte) }
    case .integer(let value): hasher.combine(value)
    case .float(let value): hasher.combine(value)
    case .tuple(let keys): hasher.combine(keys)
    }
  }
}
