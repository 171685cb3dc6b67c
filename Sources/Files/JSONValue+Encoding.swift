package import Foundation

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

  private func append(to text: inout String, indentation: String) {
    let inner = indentation + "  "
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
        text += i == 0 ? "\n\(inner)" : ",\n\(inner)"
        element.append(to: &text, indentation: inner)
      }
      text += "\n\(indentation)]"
    case .object(let members) where members.isEmpty: text += "{}"
    case .object(let members):
      text += "{"
      for (i, (name, member)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        text += i == 0 ? "\n\(inner)" : ",\n\(inner)"
        text += jsonLiteral(name) + ": "
        member.append(to: &text, indentation: inner)
      }
      text += "\n\(indentation)}"
    }
  }
}
