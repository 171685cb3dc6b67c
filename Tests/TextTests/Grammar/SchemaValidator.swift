import Foundation

/// A validator of JSON schemas as far as tests need one, written from the specification and not from the library.
struct SchemaValidator {
  let root: Any

  init(_ schema: String) throws {
    root = try JSONSerialization.jsonObject(
      with: Data(schema.utf8), options: [.fragmentsAllowed])
  }

  /// Whether a text is JSON that the schema allows.
  func accepts(_ text: String) -> Bool {
    guard
      let value = try? JSONSerialization.jsonObject(
        with: Data(text.utf8), options: [.fragmentsAllowed])
    else { return false }
    return isValid(value, root)
  }

  private func isBool(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return false }
    return ["c", "B"].contains(String(cString: number.objCType))
  }

  private func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "object": return value is [String: Any]
    case "array": return value is [Any]
    case "string": return value is String
    case "boolean": return isBool(value)
    case "null": return value is NSNull
    case "number": return value is NSNumber && !isBool(value)
    case "integer":
      guard let number = value as? NSNumber, !isBool(value) else { return false }
      return number.doubleValue == number.doubleValue.rounded()
    default: return false
    }
  }

  private func isValid(_ value: Any, _ schema: Any) -> Bool {
    if isBool(schema) { return (schema as? NSNumber)?.boolValue ?? false }
    guard let schema = schema as? [String: Any] else { return false }
    if let reference = schema["$ref"] as? String {
      var target: Any = root
      for part in reference.split(separator: "/").dropFirst() {
        let name = part.replacingOccurrences(of: "~1", with: "/")
          .replacingOccurrences(of: "~0", with: "~")
        if let list = target as? [Any] {
          target = list[Int(name) ?? 0]
        } else {
          target = (target as? [String: Any])?[name] ?? false
        }
      }
      guard isValid(value, target) else { return false }
    }
    if let values = schema["enum"] as? [Any], !values.contains(where: { equal($0, value) }) {
      return false
    }
    if let constant = schema["const"], !equal(constant, value) { return false }
    for keyword in ["anyOf", "oneOf"] {
      if let parts = schema[keyword] as? [Any] {
        guard parts.contains(where: { isValid(value, $0) }) else { return false }
      }
    }
    if let parts = schema["allOf"] as? [Any], !parts.allSatisfy({ isValid(value, $0) }) {
      return false
    }
    if let type = schema["type"] {
      let types = type as? [String] ?? [type as? String ?? ""]
      guard types.contains(where: { isOf($0, value) }) else { return false }
    }
    if let object = value as? [String: Any] { return isValid(object: object, schema) }
    if let array = value as? [Any] { return isValid(array: array, schema) }
    if let string = value as? String { return isValid(string: string, schema) }
    if let number = value as? NSNumber, !isBool(value) {
      return isValid(number: number.doubleValue, schema)
    }
    return true
  }

  private func equal(_ left: Any, _ right: Any) -> Bool {
    func text(_ value: Any) -> Data? {
      try? JSONSerialization.data(
        withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
    }
    return text(left) == text(right)
  }

  private func isValid(object: [String: Any], _ schema: [String: Any]) -> Bool {
    let properties = schema["properties"] as? [String: Any] ?? [:]
    for name in schema["required"] as? [String] ?? [] where object[name] == nil { return false }
    for (name, value) in object {
      guard let own = properties[name] ?? schema["additionalProperties"] else { continue }
      guard isValid(value, own) else { return false }
    }
    return true
  }

  private func isValid(array: [Any], _ schema: [String: Any]) -> Bool {
    if let least = schema["minItems"] as? Int, array.count < least { return false }
    if let most = schema["maxItems"] as? Int, array.count > most { return false }
    let first = schema["prefixItems"] as? [Any] ?? []
    for (index, value) in array.enumerated() {
      guard let own = index < first.count ? first[index] : schema["items"] else { continue }
      guard isValid(value, own) else { return false }
    }
    return true
  }

  private func isValid(string: String, _ schema: [String: Any]) -> Bool {
    let count = string.unicodeScalars.count
    if let least = schema["minLength"] as? Int, count < least { return false }
    if let most = schema["maxLength"] as? Int, count > most { return false }
    if let pattern = schema["pattern"] as? String {
      guard let expression = try? NSRegularExpression(pattern: pattern) else { return false }
      let range = NSRange(string.startIndex..., in: string)
      return expression.firstMatch(in: string, range: range) != nil
    }
    return true
  }

  private func isValid(number: Double, _ schema: [String: Any]) -> Bool {
    func bound(_ keyword: String) -> Double? { (schema[keyword] as? NSNumber)?.doubleValue }
    if let least = bound("minimum"), number < least { return false }
    if let most = bound("maximum"), number > most { return false }
    if let least = bound("exclusiveMinimum"), number <= least { return false }
    if let most = bound("exclusiveMaximum"), number >= most { return false }
    return true
  }
}
