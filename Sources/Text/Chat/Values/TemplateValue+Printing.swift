/// What values look like in a text, by Python's rules. The caller accounts for the weight.
extension TemplateValue {
  /// Python's `str`; nothing for an undefined value.
  var printed: String {
    switch self {
    case .undefined: return ""
    case .string(let text): return text
    default:
      var text = ""
      appendRepresentation(to: &text)
      return text
    }
  }

  /// Appends Python's `repr`.
  func appendRepresentation(to text: inout String) {
    switch self {
    case .undefined: text += "Undefined"
    case .null: text += "None"
    case .bool(let value): text += value ? "True" : "False"
    case .integer(let value): text += "\(value)"
    case .float(let value): text += PythonText.float(value)
    case .string(let value): PythonText.appendQuoted(value, to: &text)
    case .list(let list):
      text += list.isTuple ? "(" : "["
      for (index, element) in list.elements.enumerated() {
        if index > 0 { text += ", " }
        element.appendRepresentation(to: &text)
      }
      if list.isTuple && list.elements.count == 1 { text += "," }
      text += list.isTuple ? ")" : "]"
    case .mapping(let mapping):
      text += "{"
      for (index, member) in mapping.members.enumerated() {
        if index > 0 { text += ", " }
        PythonText.appendQuoted(member.key, to: &text)
        text += ": "
        member.value.appendRepresentation(to: &text)
      }
      text += "}"
    case .namespace: text += "<Namespace>"
    case .loop(let loop): text += "<LoopContext \(loop.index + 1)/\(loop.items.elements.count)>"
    case .function: text += "<function>"
    }
  }
}
