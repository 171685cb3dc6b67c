import Files
import Foundation

/// Reads a JSON schema (2020-12, and what earlier drafts wrote otherwise) as rules of the texts that it
/// allows.
///
/// Every text of the rules is valid, but not every valid text is one of the rules': members come in the
/// schema's order, blanks are those of Python's `json.dumps`, and a schema that is silent about further members
/// gets none. What would change which texts are valid, and isn't computed, is refused by name and place.
struct JSONSchemaReader {
  let document: JSONNode
  var json = JSONRules(.usual)
  /// The rule of each schema by where it stands in the document.
  private var known: [Int: Int] = [:]
  /// Schemas whose rules are to be made, so that no depth of references fills the stack.
  private var waiting: [(schema: JSONSchema, rule: Int)] = []
  /// The members of objects that references went through, by where these stand.
  private var passed: [Int: [String: JSONNode]] = [:]

  /// The rules of a schema.
  ///
  /// - Parameter name: what errors call the document.
  /// - Throws: ``SpeculateError`` naming the keyword and its place.
  static func rules(_ node: JSONNode, name: String) throws -> GrammarRules {
    var reader = JSONSchemaReader(document: node)
    _ = try reader.add(JSONSchema(node, path: "#", name: name))
    return reader.json.rules
  }

  init(document: JSONNode) { self.document = document }

  /// Adds a schema and all that it refers to.
  ///
  /// - Returns: what stands for one of its values.
  mutating func add(_ schema: JSONSchema) throws -> GrammarExpression {
    let root = rule(schema)
    while let (schema, rule) = waiting.popLast() {
      json.rules.bodies[rule] = try body(schema)
      guard json.rules.bodies.count < GrammarCompiler.mostStates else {
        throw GrammarCompiler.tooLarge
      }
    }
    return root
  }

  /// The rule of a schema, which is made later.
  mutating func rule(_ schema: JSONSchema) -> GrammarExpression {
    let place = schema.node.span.lowerBound
    if let number = known[place] { return .rule(number) }
    let number = json.rules.add(schema.path)
    known[place] = number
    waiting.append((schema, number))
    return .rule(number)
  }

  private mutating func body(_ schema: JSONSchema) throws -> GrammarExpression {
    if let bool = schema.node.bool {
      guard bool else { throw schema.error("\"false\" allows no value") }
      return json.value()
    }
    guard schema.node.isObject else { throw schema.error("is no schema; give an object") }
    try schema.checkKeywords()
    if let reference = schema["$ref"] {
      try schema.checkAlone("$ref")
      return rule(try target(of: reference, schema))
    }
    for (keyword, isList) in [("enum", true), ("const", false)] {
      guard let node = schema[keyword] else { continue }
      try schema.checkAlone(keyword, beside: ["type"])
      guard !isList || node.isArray else { throw schema.error(at: keyword, "is no list") }
      return try choice(of: isList ? node.elements() : [node], schema, keyword)
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
      guard let node = schema[keyword] else { continue }
      try schema.checkAlone(keyword)
      let parts = try node.elements()
      guard !parts.isEmpty else { throw schema.error(at: keyword, "has no schema") }
      if keyword == "allOf", parts.count > 1 {
        throw schema.error(at: keyword, "is supported with one schema only; write them as one")
      }
      let schemas = parts.enumerated().map {
        schema.child(keyword, "\($0.offset)", node: $0.element)
      }
      if keyword == "oneOf" { try checkExclusion(schemas, of: schema) }
      return .choice(schemas.map { rule($0) })
    }
    let types = try schema.types()
    if types.isEmpty { return json.value() }
    var parts: [GrammarExpression] = []
    for type in types { parts.append(try value(of: type, schema)) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func value(of type: String, _ schema: JSONSchema) throws -> GrammarExpression {
    switch type {
    case "object": return try object(schema)
    case "array": return try array(schema)
    case "string": return try string(schema)
    case "integer": return try integer(schema)
    case "number": return try number(schema)
    case "boolean": return .choice([.text("true"), .text("false")])
    case "null": return .text("null")
    default: throw schema.error(at: "type", "knows no type \(quoted(type))")
    }
  }

  /// The schema that a reference within the document names.
  mutating func target(of reference: JSONNode, _ schema: JSONSchema) throws -> JSONSchema {
    guard let text = reference.string, text.hasPrefix("#"), text == "#" || text.hasPrefix("#/")
    else {
      throw schema.error(at: "$ref", "is no reference within the schema, like \"#/$defs/name\"")
    }
    var node = document
    for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
      let plain = name.removingPercentEncoding ?? String(name)
      let next =
        node.isArray
        ? try Int(plain).flatMap { index in
          let elements = try node.elements()
          return elements.indices.contains(index) ? elements[index] : nil
        } : try members(of: node)[plain]
      guard let next else {
        throw schema.error(at: "$ref", "\(quoted(text)) names nothing in the schema")
      }
      node = next
    }
    return JSONSchema(node, path: text, name: schema.name)
  }

  private mutating func members(of node: JSONNode) throws -> [String: JSONNode] {
    if let known = passed[node.span.lowerBound] { return known }
    let members = try node.members()
    passed[node.span.lowerBound] = members
    return members
  }

  /// One of some values.
  private func choice(
    of values: [JSONNode], _ schema: JSONSchema, _ keyword: String
  ) throws -> GrammarExpression {
    let types = try schema.types()
    let texts = try values.filter { value in
      types.isEmpty || types.contains { value.isOfType($0) }
    }.map { GrammarExpression.text(try $0.usualText()) }
    guard !texts.isEmpty else { throw schema.error(at: keyword, "allows no value") }
    return .choice(texts)
  }
}

extension JSONNode {
  /// Whether a value is of a type as JSON schemas call it.
  func isOfType(_ type: String) -> Bool {
    switch type {
    case "object": isObject
    case "array": isArray
    case "string": isString
    case "boolean": bool != nil
    case "null": isNull
    case "number": !isObject && !isArray && !isString && bool == nil && !isNull
    case "integer": isOfType("number") && number.map { $0 == $0.rounded() } ?? false
    default: false
    }
  }

  /// The value as Python's `json.dumps` writes it, without escapes that aren't needed.
  fileprivate func usualText() throws -> String {
    if isObject {
      var parts: [String] = []
      try forEachMember { key, value in
        parts.append("\(jsonLiteral(key.string ?? "")): \(try value.usualText())")
      }
      return "{\(parts.joined(separator: ", "))}"
    }
    if isArray { return "[\(try elements().map { try $0.usualText() }.joined(separator: ", "))]" }
    if let string { return jsonLiteral(string) }
    return String(decoding: text.bytes[span], as: UTF8.self)
  }
}
