import Files
import Speculate

/// The fields that hold an answer to a grammar: OpenAI's, and those that vLLM and llama-server have for the same.
enum ConstraintFields {
  /// What an answer is held to; nil for nothing.
  ///
  /// - Throws: ``APIError`` naming the field that can't be used, or the second of two.
  static func constraint(_ fields: RequestFields) throws -> Constraint? {
    var found: (field: String, constraint: Constraint)?
    func add(_ field: String, _ make: () throws -> Constraint?) throws {
      let own: Constraint?
      do {
        own = try make()
      } catch {
        throw APIError.refused(error, parameter: field)
      }
      guard let own else { return }
      if let first = found {
        throw APIError.value(
          field,
          "\(quoted(first.field)) and \(quoted(field)) both hold the answer to something; leave one out"
        )
      }
      found = (field, own)
    }
    try add("response_format") { try format(fields) }
    for name in ["guided_json", "json_schema"] {
      try add(name) { try fields.node(name).map { try schema($0, name) } }
    }
    for name in ["guided_grammar", "grammar"] { try add(name) { try grammar(fields, name) } }
    try add("guided_regex") { try fields.text("guided_regex").map { try Constraint(.pattern($0)) } }
    try add("guided_choice") { try choice(fields, "guided_choice") }
    if let own = try fields.object("structured_outputs") {
      try add(own.name("json")) { try own.node("json").map { try schema($0, own.name("json")) } }
      try add(own.name("grammar")) { try grammar(own, "grammar") }
      try add(own.name("regex")) { try own.text("regex").map { try Constraint(.pattern($0)) } }
      try add(own.name("choice")) { try choice(own, "choice") }
      try add(own.name("json_object")) {
        try own.flag("json_object") == true ? try Constraint(.jsonObject) : nil
      }
      guard found != nil else {
        throw APIError.value(
          "structured_outputs",
          "\"structured_outputs\" has none of \"json\", \"json_object\", \"grammar\", \"regex\" and \"choice\"; give one"
        )
      }
    }
    return found?.constraint
  }

  /// OpenAI's `response_format`.
  private static func format(_ fields: RequestFields) throws -> Constraint? {
    guard let format = try fields.object("response_format") else { return nil }
    switch try format.text("type") {
    case "text": return nil
    case "json_object":
      // llama-server has a schema here.
      return try format.node("schema").map { try schema($0, format.name("schema")) }
        ?? Constraint(.jsonObject)
    case "json_schema":
      guard let own = try format.object("json_schema") else {
        throw format.missing("json_schema", "{\"name\": …, \"schema\": {…}}")
      }
      guard let node = own.node("schema") else { throw own.missing("schema", "a JSON schema") }
      return try schema(node, own.name("schema"))
    case nil:
      throw format.missing("type", "\"text\", \"json_object\" or \"json_schema\"")
    case let type?:
      throw APIError.value(
        "response_format.type",
        "answers can't be held to the format \(quoted(type)) here; use \"text\", \"json_object\" or \"json_schema\"",
        code: "unsupported_value")
    }
  }

  /// A JSON schema as an object, or as the text of one.
  private static func schema(_ node: JSONNode, _ field: String) throws -> Constraint {
    let text = node.string ?? String(decoding: node.text.bytes[node.span], as: UTF8.self)
    do {
      return try Constraint(.jsonSchema(text), name: quoted(field))
    } catch {
      throw APIError.refused(error, parameter: field)
    }
  }

  private static func grammar(_ fields: RequestFields, _ field: String) throws -> Constraint? {
    guard let text = try fields.text(field), !text.isEmpty else { return nil }
    do {
      return try Constraint(.grammar(text))
    } catch {
      throw APIError.value(fields.name(field), "\(quoted(fields.name(field))): \(error)")
    }
  }

  private static func choice(_ fields: RequestFields, _ field: String) throws -> Constraint? {
    guard let elements = try fields.list(field) else { return nil }
    let texts = elements.compactMap(\.string)
    guard !texts.isEmpty, texts.count == elements.count else {
      throw fields.wrongType(field, "a list of texts")
    }
    return try Constraint(.choice(texts))
  }
}
