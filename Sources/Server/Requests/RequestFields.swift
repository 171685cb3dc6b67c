import Files

/// The fields of a request's JSON object, read with their types and ranges; errors name the field.
///
/// A field that is null is absent. Fields that nobody asks for are ignored, as OpenAI does.
struct RequestFields {
  /// Where the object stands in the request: empty for the request itself, or `stream_options`.
  let path: String
  private let members: [String: JSONNode]

  /// Reads the request's body.
  ///
  /// - Throws: ``APIError`` when it is no JSON object.
  init(body: [UInt8]) throws {
    let node: JSONNode
    do {
      node = try JSONText(body, name: "the body").root
    } catch {
      throw APIError(400, "the body is \(error); correct it", code: "invalid_json")
    }
    guard node.isObject else {
      throw APIError(
        400, "the body is no JSON object; give {\"model\": …, …}", code: "invalid_json")
    }
    try self.init(node, path: "")
  }

  init(_ node: JSONNode, path: String) throws {
    self.path = path
    members = try node.members().filter { !$0.value.isNull }
  }

  /// The full name of a field.
  func name(_ field: String) -> String { path.isEmpty ? field : "\(path).\(field)" }

  func node(_ field: String) -> JSONNode? { members[field] }

  /// An error about the type of a field.
  func wrongType(_ field: String, _ expected: String) -> APIError {
    .value(name(field), "\(quoted(name(field))) is not \(expected)", code: "invalid_type")
  }

  func missing(_ field: String, _ expected: String) -> APIError {
    .value(
      name(field), "\(quoted(name(field))) is missing; give \(expected)",
      code: "missing_required_parameter")
  }

  func text(_ field: String) throws -> String? {
    try value(field, "a text") { $0.string }
  }

  func flag(_ field: String) throws -> Bool? {
    try value(field, "true or false") { $0.bool }
  }

  /// A whole number in a range.
  func integer(_ field: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let value = try value(field, "a whole number", { $0.integer }) else { return nil }
    guard range.contains(value) else {
      let least = range.lowerBound
      throw APIError.value(
        name(field),
        "\(quoted(name(field))) is \(value); use "
          + (range.upperBound == .max ? "\(least) or more" : "\(least) to \(range.upperBound)"))
    }
    return value
  }

  /// A number in a range.
  func number(_ field: String, _ range: ClosedRange<Double>) throws -> Float? {
    guard
      let value = try value(
        field, "a number",
        { node -> Double? in
          guard let number = node.isString ? nil : node.number, number.isFinite else { return nil }
          return number
        })
    else { return nil }
    guard range.contains(value) else {
      throw APIError.value(
        name(field),
        "\(quoted(name(field))) is \(value); use \(short(range.lowerBound)) to \(short(range.upperBound))"
      )
    }
    return Float(value)
  }

  /// The fields of an object inside.
  func object(_ field: String) throws -> RequestFields? {
    guard let node = members[field] else { return nil }
    guard node.isObject else { throw wrongType(field, "an object") }
    return try RequestFields(node, path: name(field))
  }

  /// The elements of a list.
  func list(_ field: String) throws -> [JSONNode]? {
    guard let node = members[field] else { return nil }
    guard node.isArray else { throw wrongType(field, "a list") }
    return try node.elements()
  }

  private func value<Value>(
    _ field: String, _ expected: String, _ read: (JSONNode) -> Value?
  ) throws -> Value? {
    guard let node = members[field] else { return nil }
    guard let value = read(node) else { throw wrongType(field, expected) }
    return value
  }

  private func short(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e9 ? String(Int(number)) : "\(number)"
  }
}
