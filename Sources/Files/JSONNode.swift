/// One value of a ``JSONText``. Asking it for a part walks over it, so keep what is asked for twice.
package struct JSONNode {
  package let text: JSONText
  /// The value's bytes, without spaces around them.
  package let span: Range<Int>

  private var first: UInt8 { text.bytes[span.lowerBound] }

  package var isNull: Bool { first == UInt8(ascii: "n") }
  package var isObject: Bool { first == UInt8(ascii: "{") }
  package var isArray: Bool { first == UInt8(ascii: "[") }
  package var isString: Bool { first == UInt8(ascii: "\"") }

  /// The value as a truth value, nil when it is none; the others likewise.
  package var bool: Bool? {
    first == UInt8(ascii: "t") ? true : first == UInt8(ascii: "f") ? false : nil
  }

  /// A whole number that fits; `2.0` is none.
  package var integer: Int? { Int(String(decoding: text.bytes[span], as: UTF8.self)) }

  package var number: Double? { Double(String(decoding: text.bytes[span], as: UTF8.self)) }

  package var string: String? { stringBytes.map { String(decoding: $0, as: UTF8.self) } }

  /// The UTF-8 of a string with its escapes resolved; a slice of the text where it has none.
  package var stringBytes: ArraySlice<UInt8>? {
    guard isString else { return nil }
    let content = span.lowerBound + 1..<span.upperBound - 1
    guard text.bytes[content].contains(UInt8(ascii: "\\")) else { return text.bytes[content] }
    var result: [UInt8] = []
    var index = content.lowerBound
    while index < content.upperBound {
      if text.bytes[index] == UInt8(ascii: "\\"), let (scalar, end) = text.escape(at: index) {
        result += Array(String(Character(scalar)).utf8)
        index = end
      } else {
        result.append(text.bytes[index])
        index += 1
      }
    }
    return result[...]
  }

  /// Calls `body` with each member of an object, in order; with none when it is no object.
  package func forEachMember(_ body: (_ key: JSONNode, _ value: JSONNode) throws -> Void) throws {
    guard isObject else { return }
    try forEachItem { start in
      let keyEnd = try text.skipString(from: start)
      let value = try text.skipColon(keyEnd)
      let end = try text.skip(from: value)
      try body(JSONNode(text: text, span: start..<keyEnd), JSONNode(text: text, span: value..<end))
      return end
    }
  }

  /// Calls `body` with each element of an array, in order; with none when it is no array.
  package func forEachElement(_ body: (JSONNode) throws -> Void) throws {
    guard isArray else { return }
    try forEachItem { start in
      let end = try text.skip(from: start)
      try body(JSONNode(text: text, span: start..<end))
      return end
    }
  }

  private func forEachItem(_ body: (_ start: Int) throws -> Int) throws {
    var index = text.skipSpace(span.lowerBound + 1)
    while index < span.upperBound - 1 {
      // Behind an item is a comma or the closing bracket: the grammar has been checked.
      index = text.skipSpace(text.skipSpace(try body(index)) + 1)
    }
  }

  /// The members of an object by key; empty when it is no object. Of equal keys the last counts.
  package func members() throws -> [String: JSONNode] {
    var members: [String: JSONNode] = [:]
    try forEachMember { key, value in
      if let key = key.string { members[key] = value }
    }
    return members
  }

  /// The elements of an array; empty when it is no array.
  package func elements() throws -> [JSONNode] {
    var elements: [JSONNode] = []
    try forEachElement { elements.append($0) }
    return elements
  }

  /// An error about this text.
  package func error(_ message: String) -> SpeculateError {
    SpeculateError("\(text.name): \(message)")
  }
}
