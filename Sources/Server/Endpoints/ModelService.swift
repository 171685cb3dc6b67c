import Files
package import Speculate
import Tensors
import Text
import Verifier

/// A loaded model and how it is served.
package struct ModelService: Sendable {
  package let generator: BatchGenerator
  /// What clients call the model.
  package let name: String
  /// Changes with whatever could change an answer: weights, formats, arithmetic.
  package let fingerprint: String
  /// What requests get that say nothing of sampling.
  package let defaults: SamplingParameters
  package let mode: DecodingMode
  /// The texts of the model's chat template and of its template for tools; nil without a chat template.
  let template: (usual: String, forTools: String?)?
  let syntax: ToolSyntax?
  /// The most tokens of a prompt.
  let promptLimit: Int

  /// - Parameter promptLimit: nil for as many as the context holds.
  package init(
    generator: BatchGenerator, name: String, fingerprint: String, defaults: SamplingParameters,
    mode: DecodingMode, template: (usual: String, forTools: String?)?, promptLimit: Int? = nil
  ) {
    self.generator = generator
    self.name = name
    self.fingerprint = fingerprint
    self.defaults = defaults
    self.mode = mode
    self.template = template
    syntax = template.flatMap { ToolSyntax(template: $0.forTools ?? $0.usual) }
    self.promptLimit = promptLimit ?? generator.contextLength
  }

  var spelling: TokenSpelling { TokenSpelling(tokenizer: generator.text.tokenizer) }
  var vocabulary: Int { generator.text.model.configuration.vocabularySize }
  var hasChat: Bool { template != nil }

  /// Whether the chat template writes what functions there are.
  var writesTools: Bool {
    template.map { $0.forTools != nil || $0.usual.contains("tools") } ?? false
  }

  /// - Throws: ``APIError`` (404) for a model of another name.
  func checkName(_ asked: String?) throws {
    guard let asked, asked != name else { return }
    throw APIError(
      404, "there is no model \(quoted(asked)) here; ask for \(quoted(name))",
      parameter: "model", code: "model_not_found")
  }

  /// - Throws: ``APIError`` for a prompt that is too long.
  func checkLength(_ prompt: [Token], _ field: String) throws {
    let limit = min(promptLimit, generator.contextLength - 1)
    guard prompt.count > limit else { return }
    throw APIError.value(
      field, "the prompt has \(prompt.count) tokens, but at most \(limit) are taken; shorten it",
      code: "context_length_exceeded")
  }
}
