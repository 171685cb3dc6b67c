import Files

/// Values from JSON.
extension TemplateValue {
  /// The value of a JSON text, its members in order.
  ///
  /// - Throws: `SpeculateError` for a number that is no 64-bit one.
  init(_ node: JSONNode) throws {
    if node.isNull {
      self = .null
    } else if let value = node.bool {
      self = .bool(value)
    } else if let text = node.string {
      self = .string(text)
    } else if node.isArray {
      self = try .list(of: node.elements().map { try TemplateValue($0) })
    } else if node.isObject {
      var members: [(key: String, value: TemplateValue)] = []
      try node.forEachMember { key, value in
        if let key = key.string { members.append((key, try TemplateValue(value))) }
      }
      self = .mapping(try TemplateMapping(members))
    } else if let value = node.integer {
      self = .integer(value)
    } else if let value = node.number, value.isFinite,
      node.text.bytes[node.span].contains(where: { ".eE".utf8.contains($0) })
    {
      self = .float(value)
    } else {
      throw node.error("a number is too large; correct it")
    }
  }
}
