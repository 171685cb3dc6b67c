import Files

/// The settings of one part of a tokenizer.json, read by type: a value of another type is an error.
struct JSONSettings {
  /// A pattern of a setting.
  enum Pattern {
    /// A string, not empty.
    case string([UInt8])
    /// A regular expression.
    case expression(String)
  }

  let node: JSONNode
  let fields: [String: JSONNode]
  /// What error messages call the part.
  let kind: String

  init(_ node: JSONNode, _ fields: [String: JSONNode], of kind: String) {
    self.node = node
    self.fields = fields
    self.kind = kind
  }

  private func value(_ key: String) -> JSONNode? { fields[key].flatMap { $0.isNull ? nil : $0 } }

  func flag(_ key: String, default standard: Bool) throws -> Bool {
    guard let value = value(key) else { return standard }
    guard let flag = value.bool else {
      throw node.error("the '\(key)' of the \(kind) is not true or false")
    }
    return flag
  }

  func string(_ key: String) throws -> String? {
    guard let value = value(key) else { return nil }
    guard let string = value.string else {
      throw node.error("the '\(key)' of the \(kind) is not a string")
    }
    return string
  }

  func integer(_ key: String) throws -> Int? {
    guard let value = value(key) else { return nil }
    guard let integer = value.integer else {
      throw node.error("the '\(key)' of the \(kind) is not a whole number")
    }
    return integer
  }

  /// A string that must be there and not empty.
  func text(_ key: String) throws -> [UInt8] {
    guard let text = value(key)?.stringBytes, !text.isEmpty else {
      throw node.error("the \(kind) has no '\(key)'")
    }
    return Array(text)
  }

  /// `{"String": …}` or `{"Regex": …}` under `pattern`.
  func pattern() throws -> Pattern {
    let members = try value("pattern")?.members() ?? [:]
    if let expression = members["Regex"]?.string { return .expression(expression) }
    guard let text = members["String"]?.stringBytes, !text.isEmpty else {
      throw node.error("the 'pattern' of the \(kind) is no 'String' and no 'Regex'")
    }
    return .string(Array(text))
  }
}
