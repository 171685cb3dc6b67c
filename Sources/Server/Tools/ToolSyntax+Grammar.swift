import Files
import Speculate
package import Text

extension ToolSyntax {
  /// How calls are spelled by a template, for answers that have to be calls; nil where the spelling holds
  /// arguments to nothing.
  ///
  /// - Parameters:
  ///   - template: the chat template's text.
  ///   - isRepeated: whether an answer may call several times.
  ///   - isSpecial: whether a mark is a special token.
  package func form(
    _ template: String, isRepeated: Bool, isSpecial: (_ mark: String) -> Bool
  ) -> CallForm? {
    func mark(_ spelling: String) -> CallForm.Part {
      isSpecial(spelling) ? .mark(spelling) : .text(spelling)
    }
    switch self {
    case .hermes:
      return CallForm(
        callBefore: [mark("<tool_call>"), .text("\n{\"name\": \"")],
        middle: [.text("\", \"arguments\": ")], callAfter: [.text("}\n"), mark("</tool_call>")],
        between: [.text("\n")], isRepeated: isRepeated)
    case .llama:
      // The whole answer is one object.
      return CallForm(
        callBefore: [.text("{\"name\": \"")], middle: [.text("\", \"parameters\": ")],
        callAfter: [.text("}")], isRepeated: false)
    case .mistral where template.contains("[ARGS]"):
      return CallForm(
        callBefore: [mark("[TOOL_CALLS]")], middle: [mark("[ARGS]")], callAfter: [],
        isRepeated: isRepeated)
    case .mistral:
      let isSpaced = template.contains("[TOOL_CALLS] [")
      return CallForm(
        before: [mark("[TOOL_CALLS]"), .text(isSpaced ? " [" : "[")],
        callBefore: [.text("{\"name\": \"")], middle: [.text("\", \"arguments\": ")],
        callAfter: [.text("}")], between: [.text(", ")], after: [.text("]")],
        isRepeated: isRepeated)
    case .qwenCoder: return nil
    }
  }
}

extension ModelService {
  /// What an answer is held to that has to call functions.
  ///
  /// - Throws: ``APIError`` where the model's template doesn't tell how calls are spelled, or a function's
  ///   parameters are no schema that can be used.
  func constraint(_ tools: RequiredTools) throws -> Constraint {
    guard let syntax, let template,
      let form = syntax.form(
        template.forTools ?? template.usual, isRepeated: tools.isRepeated,
        isSpecial: { mark in
          let tokenizer = spelling.tokenizer
          return tokenizer.id(of: mark).map(tokenizer.isSpecial) ?? false
        })
    else {
      throw APIError.value(
        "tool_choice",
        "an answer can't be forced to call a function by this model's chat template; use \"auto\" or \"none\"",
        code: "unsupported_value")
    }
    do {
      return Constraint(try Grammar(.calls(form, tools.functions)))
    } catch {
      throw APIError.refused(error, parameter: "tools")
    }
  }
}

/// Functions of which an answer has to call one.
struct RequiredTools {
  var functions: [CalledFunction]
  /// Whether it may call several times.
  var isRepeated: Bool
}
