/// A list or tuple, which never changes.
struct TemplateList: Sendable {
  let elements: [TemplateValue]
  let isTuple: Bool
  /// As `TemplateValue.depth`, at least 1.
  let depth: Int
  /// As `TemplateValue.weight`.
  let weight: Int

  init(_ elements: [TemplateValue], isTuple: Bool = false) throws {
    self.elements = elements
    self.isTuple = isTuple
    depth = try Self.depth(of: elements)
    weight = Self.weight(of: elements)
  }

  /// The depth of something that consists of parts.
  static func depth(of parts: [TemplateValue]) throws -> Int {
    let depth = 1 + parts.reduce(0) { max($0, $1.depth) }
    guard depth <= TemplateLimits.depth else {
      throw TemplateProblem("values are nested deeper than \(TemplateLimits.depth) levels")
    }
    return depth
  }

  /// The weight of something that consists of parts; bounded, since sharing may square it.
  static func weight(of parts: [TemplateValue]) -> Int {
    parts.reduce(1) { min($0 + $1.weight, 1 << 32) }
  }
}

/// A mapping from texts to values, in the order in which they came. It never changes.
struct TemplateMapping: Sendable {
  /// A key; texts are equal when their characters are, not when they look alike.
  private struct Key: Hashable {
    let text: String

    static func == (left: Key, right: Key) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
    func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
  }

  let keys: [String]
  let values: [TemplateValue]
  private let places: [Key: Int]
  /// As `TemplateValue.depth`, at least 1.
  let depth: Int
  /// As `TemplateValue.weight`.
  let weight: Int

  /// A mapping; of equal keys the last value counts, at the place of the first.
  init(_ members: [(key: String, value: TemplateValue)]) throws {
    var keys: [String] = []
    var values: [TemplateValue] = []
    var places: [Key: Int] = [:]
    for (key, value) in members {
      if let place = places[Key(text: key)] {
        values[place] = value
      } else {
        places[Key(text: key)] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    self.keys = keys
    self.values = values
    self.places = places
    depth = try TemplateList.depth(of: values)
    weight = Self.weight(keys, values)
  }

  /// A mapping of texts to texts; no key comes twice.
  init(texts: [(key: String, value: String)]) {
    keys = texts.map(\.key)
    values = texts.map { .string($0.value) }
    places = Dictionary(uniqueKeysWithValues: keys.enumerated().map { (Key(text: $1), $0) })
    depth = 1
    weight = Self.weight(keys, values)
  }

  private static func weight(_ keys: [String], _ values: [TemplateValue]) -> Int {
    TemplateList.weight(of: values) + keys.reduce(0) { min($0 + 1 + $1.utf8.count / 16, 1 << 32) }
  }

  subscript(key: String) -> TemplateValue? { places[Key(text: key)].map { values[$0] } }

  var members: [(key: String, value: TemplateValue)] {
    zip(keys, values).map { (key: $0, value: $1) }
  }
}
