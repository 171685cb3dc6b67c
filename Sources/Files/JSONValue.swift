package import Foundation

/// A JSON document as it was written: integers stay integers, and no member is lost.
///
/// Foundation's readers keep one of two members of the same name without a word. A checkpoint that
/// says two things must be refused, so this refuses duplicate members.
///
/// Member names compare as Swift strings do, by canonical equivalence. That is right for
/// configurations and tensor names; a vocabulary, whose entries differ by bytes, is read from its
/// `JSONText`.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  /// A number written without fraction or exponent that fits `Int`.
  case integer(Int)
  /// Any other number.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Reads one document.
  ///
  /// - Parameter bytes: UTF-8 text; blanks around the document are allowed.
  /// - Throws: `SpeculateError` whose text names the byte and the problem, without a file name.
  package init(parsing bytes: some Sequence<UInt8>) throws {
    try self.init(JSONText(Array(bytes)).root)
  }

  /// Reads one document from text.
  ///
  /// - Throws: `SpeculateError` as `init(parsing:)` does.
  package init(parsing text: String) throws { try self.init(JSONText(Array(text.utf8)).root) }

  private init(_ node: JSONNode) throws {
    if node.isNull {
      self = .null
    } else if let bool = node.bool {
      self = .bool(bool)
    } else if let string = node.string {
      self = .string(string)
    } else if node.isArray {
      self = .array(try node.elements().map(JSONValue.init))
    } else if node.isObject {
      var members: [String: JSONValue] = [:]
      try node.forEachMember { key, value in
        let name = key.string ?? ""
        guard members.updateValue(try JSONValue(value), forKey: name) == nil else {
          throw node.text.problem("\(quoted(name)) appears twice", at: key.span.lowerBound)
        }
      }
      self = .object(members)
    } else if let integer = node.integer {
      self = .integer(integer)
    } else if let number = node.number, number.isFinite {
      self = .number(number)
    } else {
      throw node.text.problem("the number is out of range", at: node.span.lowerBound)
    }
  }

  // MARK: The value, if it is of that kind

  package var members: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }

  package var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var text: String? { if case .string(let text) = self { text } else { nil } }

  /// Nil for `2.0`.
  package var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }

  /// A number of either kind.
  package var number: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  package var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }

  package subscript(name: String) -> JSONValue? { members?[name] }
}

extension JSONValue {
  /// The document as a person would write it: two spaces, members sorted by name, a last newline.
  ///
  /// Numbers are the shortest that read back as the same value; one that is not finite, which JSON
  /// can't say, becomes `null`.
  package func encoded() -> Data {
    var text = ""
    append(to: &text, indentation: "")
    return Data((text + "\n").utf8)
  }

  /// The same on one line without blanks, as a program reads it.
  package func line() -> String {
    var text = ""
    append(to: &text, indentation: nil)
    return text
  }

  /// - Parameter indentation: what every line begins with; nil for one line.
  private func append(to text: inout String, indentation: String?) {
    let inner = indentation.map { $0 + "  " }
    func newLine(_ indentation: String?) -> String { indentation.map { "\n" + $0 } ?? "" }
    switch self {
    case .null: text += "null"
    case .bool(let bool): text += bool ? "true" : "false"
    case .integer(let integer): text += String(integer)
    case .number(let number): text += number.isFinite ? "\(number)" : "null"
    case .string(let string): text += jsonLiteral(string)
    case .array(let elements) where elements.isEmpty: text += "[]"
    case .array(let elements):
      text += "["
      for (i, element) in elements.enumerated() {
        text += (i == 0 ? "" : ",") + newLine(inner)
        element.append(to: &text, indentation: inner)
      }
      text += newLine(indentation) + "]"
    case .object(let members) where members.isEmpty: text += "{}"
    case .object(let members):
      text += "{"
      for (i, (name, member)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        text += (i == 0 ? "" : ",") + newLine(inner)
        text += jsonLiteral(name) + (inner == nil ? ":" : ": ")
        member.append(to: &text, indentation: inner)
      }
      text += newLine(indentation) + "}"
    }
  }
}
