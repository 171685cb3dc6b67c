import Files

/// Whether schemas exclude each other, which `oneOf` wants: a value that is valid by two of them is none of its.
extension JSONSchemaReader {
  /// How long reasons are looked for, so that no schema takes for ever.
  private struct Exclusion {
    /// References and properties that are followed into each other.
    static let mostDepth = 6
    /// Schemas, values and members that are looked at for one `oneOf`.
    private var left = 1_000_000

    /// Whether there is time for so much.
    mutating func takes(_ count: Int) -> Bool {
      left -= count
      return left > 0
    }
  }

  /// - Throws: ``SpeculateError`` naming two schemas for which no reason is found that they exclude each other.
  mutating func checkExclusion(_ parts: [JSONSchema], of schema: JSONSchema) throws {
    var exclusion = Exclusion()
    for later in parts.indices {
      for earlier in 0..<later
      where try !exclude(parts[earlier], parts[later], depth: 0, &exclusion) {
        throw schema.error(
          at: "oneOf",
          "may hold twice, by its schemas \(earlier) and \(later); write anyOf, or give both a required "
            + "property that has another \"const\" in each")
      }
    }
  }

  /// Whether no value is valid by both, for a reason that is plain to see.
  private mutating func exclude(
    _ one: JSONSchema, _ other: JSONSchema, depth: Int, _ exclusion: inout Exclusion
  ) throws -> Bool {
    guard depth < Exclusion.mostDepth, exclusion.takes(1) else { return false }
    if one.node.bool == false || other.node.bool == false { return true }
    for (schema, against) in [(one, other), (other, one)] {
      if let reference = schema["$ref"] {
        let target = try target(of: reference, schema)
        return try exclude(target, against, depth: depth + 1, &exclusion)
      }
      for keyword in ["anyOf", "oneOf", "allOf"] {
        guard let parts = try schema[keyword]?.elements(), !parts.isEmpty else { continue }
        return try parts.enumerated().allSatisfy { index, node in
          try exclude(
            schema.child(keyword, "\(index)", node: node), against, depth: depth + 1, &exclusion)
        }
      }
    }
    let (values, others) = (try Self.values(of: one), try Self.values(of: other))
    if let values, let others {
      guard exclusion.takes(values.count * others.count) else { return false }
      return values.allSatisfy { value in others.allSatisfy { !value.mayEqual($0) } }
    }
    if let values {
      return try values.allSatisfy { try !Self.mayBe($0, other) }
    }
    if let others {
      return try others.allSatisfy { try !Self.mayBe($0, one) }
    }
    let common = try Self.commonTypes(one, other)
    return try common.allSatisfy { type in
      switch type {
      case "object": try excludeObjects(one, other, depth: depth, &exclusion)
      case "number": try Self.excludeNumbers(one, other)
      default: false
      }
    }
  }

  /// Objects exclude each other where one has a member for certain that can't be the other's.
  private mutating func excludeObjects(
    _ one: JSONSchema, _ other: JSONSchema, depth: Int, _ exclusion: inout Exclusion
  ) throws -> Bool {
    for (schema, against) in [(one, other), (other, one)] {
      let own = try schema["properties"]?.members() ?? [:]
      let theirs = try against["properties"]?.members() ?? [:]
      guard exclusion.takes(own.count + theirs.count) else { return false }
      for name in try (schema["required"]?.elements() ?? []).compactMap(\.string) {
        guard let their = theirs[name] else {
          if against["additionalProperties"]?.bool == false { return true }
          continue
        }
        guard let own = own[name] else { continue }
        if try exclude(
          schema.child("properties", name, node: own),
          against.child("properties", name, node: their), depth: depth + 1, &exclusion)
        {
          return true
        }
      }
    }
    return false
  }

  private static func excludeNumbers(_ one: JSONSchema, _ other: JSONSchema) throws -> Bool {
    func bound(_ schema: JSONSchema, _ inclusive: String, _ exclusive: String) -> (Double, Bool)? {
      let (value, excluded) = (schema[inclusive]?.number, schema[exclusive]?.number)
      if schema[exclusive]?.bool == true { return value.map { ($0, true) } }
      guard let excluded else { return value.map { ($0, false) } }
      // The other one says nothing more, or more: this one is enough for a reason.
      return (excluded, true)
    }
    for (low, high) in [(one, other), (other, one)] {
      if let most = bound(low, "maximum", "exclusiveMaximum"),
        let least = bound(high, "minimum", "exclusiveMinimum"),
        most.0 < least.0 || most.0 == least.0 && (most.1 || least.1)
      {
        return true
      }
    }
    return false
  }

  /// The values of `enum` or `const`; nil for a schema without.
  private static func values(of schema: JSONSchema) throws -> [JSONNode]? {
    if let values = schema["enum"] { return try values.isArray ? values.elements() : nil }
    return schema["const"].map { [$0] }
  }

  /// Whether a value may be of a schema, by its types.
  private static func mayBe(_ value: JSONNode, _ schema: JSONSchema) throws -> Bool {
    // Without `type` what a schema says of one type leaves values of others as they are.
    guard schema["type"] != nil else { return true }
    return try schema.types().contains { value.isOfType($0) }
  }

  /// The types that both may be of, whole numbers being numbers.
  private static func commonTypes(_ one: JSONSchema, _ other: JSONSchema) throws -> [String] {
    func types(_ schema: JSONSchema) throws -> Set<String> {
      guard schema["type"] != nil else {
        return ["object", "array", "string", "number", "boolean", "null"]
      }
      return Set(try schema.types().map { $0 == "integer" ? "number" : $0 })
    }
    return try types(one).intersection(types(other)).sorted()
  }
}

extension JSONNode {
  /// Whether two values may be equal: of lists and objects that isn't looked at.
  fileprivate func mayEqual(_ other: JSONNode) -> Bool {
    if isObject || other.isObject { return isObject && other.isObject }
    if isArray || other.isArray { return isArray && other.isArray }
    if isString || other.isString { return string == other.string }
    if bool != nil || other.bool != nil { return bool == other.bool }
    if isNull || other.isNull { return isNull && other.isNull }
    return number == other.number
  }
}
