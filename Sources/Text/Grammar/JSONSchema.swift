import Files

/// A schema within a document: its keywords, and where it stands.
struct JSONSchema {
  let node: JSONNode
  /// A JSON pointer: `#/properties/age`.
  let path: String
  /// What errors call the document.
  let name: String
  private let members: [String: JSONNode]

  init(_ node: JSONNode, path: String, name: String) {
    self.node = node
    self.path = path
    self.name = name
    members = (try? node.members()) ?? [:]
  }

  subscript(keyword: String) -> JSONNode? { members[keyword] }

  /// A schema inside.
  func child(_ keyword: String, _ name: String? = nil, node: JSONNode) -> JSONSchema {
    let parts = [keyword, name].compactMap { $0 }.map {
      $0.replacing("~", with: "~0").replacing("/", with: "~1")
    }
    return JSONSchema(node, path: ([path] + parts).joined(separator: "/"), name: self.name)
  }

  func error(_ message: String) -> SpeculateError {
    SpeculateError("\(name): \(printable(path, limit: 200)) \(message)")
  }

  func error(at keyword: String, _ message: String) -> SpeculateError {
    SpeculateError("\(name): \(printable("\(path)/\(keyword)", limit: 200)) \(message)")
  }

  // MARK: Keywords

  /// Assertions that aren't computed.
  private static let refused: Set<String> = [
    "not", "if", "then", "else", "multipleOf", "uniqueItems", "contains", "minContains",
    "maxContains",
    "patternProperties", "propertyNames", "minProperties", "maxProperties", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties",
    "additionalItems",
    "$dynamicRef", "$recursiveRef", "nullable",
  ]

  /// Assertions of each type.
  private static let ofTypes: [(type: String, keywords: Set<String>)] = [
    ("object", ["properties", "required", "additionalProperties"]),
    ("array", ["items", "prefixItems", "minItems", "maxItems"]),
    ("string", ["minLength", "maxLength", "pattern"]),
    ("number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]),
  ]

  private static let others: Set<String> = [
    "$ref", "enum", "const", "anyOf", "oneOf", "allOf", "type", "format",
  ]

  private static func isAssertion(_ keyword: String) -> Bool {
    others.contains(keyword) || ofTypes.contains { $0.keywords.contains(keyword) }
  }

  /// - Throws: ``SpeculateError`` naming a keyword that isn't computed.
  func checkKeywords() throws {
    for keyword in members.keys.sorted() where Self.refused.contains(keyword) {
      // It is no assertion with the value that asserts nothing.
      if ["uniqueItems", "nullable"].contains(keyword), members[keyword]?.bool == false {
        continue
      }
      throw error(at: keyword, "is not supported; leave it out, or say it in words")
    }
  }

  /// - Throws: ``SpeculateError`` for assertions beside one that stands for all.
  func checkAlone(_ keyword: String, beside allowed: Set<String> = []) throws {
    let others = members.keys.filter {
      $0 != keyword && !allowed.contains($0) && Self.isAssertion($0)
    }
    guard let other = others.min() else { return }
    throw error(at: other, "is not supported beside \"\(keyword)\"; write both as one schema")
  }

  /// The types that values may be of; none for all.
  ///
  /// Without `type` they are those for which the schema says something.
  func types() throws -> [String] {
    guard let node = members["type"] else {
      guard members["enum"] == nil, members["const"] == nil else { return [] }
      let types = Self.ofTypes.filter { $0.keywords.contains { members[$0] != nil } }.map(\.type)
      return types.isEmpty && members["format"] != nil ? ["string"] : types
    }
    if let type = node.string { return [type] }
    let types = try node.isArray ? node.elements().compactMap(\.string) : []
    guard !types.isEmpty else { throw error(at: "type", "is neither a type nor a list of types") }
    return types
  }

  // MARK: Values of keywords

  /// A count, such as of `minItems`.
  func count(_ keyword: String) throws -> Int? {
    guard let node = members[keyword] else { return nil }
    guard let number = node.isString ? nil : node.number, number >= 0, number == number.rounded(),
      number <= Double(GBNFParser.mostRepetitions)
    else {
      throw error(at: keyword, "is no count of 0 to \(GBNFParser.mostRepetitions)")
    }
    return Int(number)
  }

  /// Two counts.
  func counts(_ least: String, _ most: String) throws -> (least: Int, most: Int?) {
    let counts = (try count(least) ?? 0, try count(most))
    if let limit = counts.1, limit < counts.0 {
      throw error(at: least, "is more than \"\(most)\", so that no value is valid")
    }
    return counts
  }

  /// The bounds of numbers, of whole numbers rounded inwards.
  func bounds(areWhole: Bool) throws -> JSONNumbers.Bounds {
    var bounds = JSONNumbers.Bounds()
    for (inclusive, exclusive, isLeast) in [
      ("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false),
    ] {
      var (value, excludes) = (try bound(inclusive, isLeast: isLeast, areWhole), false)
      if members[exclusive]?.bool == true {
        // Draft 4 says it of the other keyword.
        excludes = value != nil
      } else if members[exclusive]?.bool == nil,
        let own = try bound(exclusive, isLeast: isLeast, areWhole)
      {
        // Rounded inwards it is itself inside.
        let isRounded = areWhole && Double(own) != members[exclusive]?.number
        if value.map({ isLeast ? own >= $0 : own <= $0 }) ?? true {
          (value, excludes) = (own, !isRounded)
        }
      }
      if isLeast {
        (bounds.least, bounds.excludesLeast) = (value, excludes)
      } else {
        (bounds.most, bounds.excludesMost) = (value, excludes)
      }
    }
    return bounds
  }

  private func bound(_ keyword: String, isLeast: Bool, _ isWhole: Bool) throws -> Int? {
    guard let node = members[keyword], node.bool == nil else { return nil }
    guard let number = node.isString ? nil : node.number else {
      throw error(at: keyword, "is no number")
    }
    guard isWhole || number == number.rounded() else {
      throw error(at: keyword, "is supported for whole bounds only; round it inwards")
    }
    let limit = Double(JSONNumbers.largest)
    let rounded = isLeast ? number.rounded(.up) : number.rounded(.down)
    // A bound behind all numbers that are written bounds nothing, on its own side.
    if isLeast ? rounded < -limit : rounded > limit { return nil }
    guard abs(rounded) < limit else { throw error(at: keyword, "is out of range") }
    return node.integer ?? Int(rounded)
  }
}
