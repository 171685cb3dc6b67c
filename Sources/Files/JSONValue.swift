/// A JSON document as it was written: integers stay integers, and no member is lost.
///
/// Foundation's readers keep one of two members of the same name without a word. A checkpoint that
/// says two things must be refused, so this reader refuses duplicate members; it also bounds the
/// nesting and reports where a document goes wrong.
///
/// Member names compare as Swift strings do, by canonical equivalence. That is right for
/// configurations and tensor names; a vocabulary, whose entries differ by bytes, needs another
/// reader.
package enum JSONValue: Sendable, Equatable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction or exponent that fits `Int`.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object([String: JSONValue])

  /// Reads one document.
  ///
  /// - Parameter bytes: UTF-8 text; blanks around the document are allowed.
  /// - Throws: `SpeculateError` whose text names the byte and the problem, without a file name.
  package init(parsing bytes: UnsafeRawBufferPointer) throws {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }

  /// Reads one document from text.
  ///
  /// - Throws: `SpeculateError` as `init(parsing:)` does.
  package init(parsing text: String) throws {
    var text = text
    self = try text.withUTF8 { try JSONValue(parsing: UnsafeRawBufferPointer($0)) }
  }

  /// The members, if this is an object.
  package var members: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The elements, if this is an array.
  package var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The text, if this is a string.
  package var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The integer, if this is one; `2.0` is not.
  package var integer: Int? {
    if case .integer(let integer) = self { integer } else { nil }
  }

  /// The number, if this is one of either kind.
  package var number: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  /// The truth value, if this is one.
  package var bool: Bool? {
    if case .bool(let bool) = self { bool } else { nil }
  }

  /// The member of that name, if this is an object that has it.
  package subscript(name: String) -> JSONValue? { members?[name] }
}
