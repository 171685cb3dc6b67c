import Files
import Foundation
import Server
import Speculate
import Tensors
import TestSupport
import Text
import Verifier

/// A small random model whose tokens are bytes, served as `tiny`.
enum TinyService {
  static let vocabulary = 263
  static let begin: Token = 1
  static let end: Token = 2
  static let context = 512

  static let configuration = ModelConfiguration(
    family: .qwen3, vocabularySize: vocabulary, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
    headCount: 2, keyValueHeadCount: 1, headDimension: 16, maximumContext: context,
    endTokens: [end])

  static let model = CausalModel(random: configuration, seed: 1)

  /// Marks turns with the end token, and writes functions as Hermes does.
  static let template = """
    {{ bos_token }}{% if tools %}<tool_call> {{ tools | tojson }}{{ eos_token }}{% endif %}
    {%- for m in messages %}
    {%- if m.role not in ['system', 'user', 'assistant', 'tool'] %}
    {{- raise_exception('No ' ~ m.role) }}{% endif %}
    {{- '[' ~ m.role[0] ~ ']' ~ (m.content or '') }}
    {%- for call in m.tool_calls or [] %}<tool_call>{{ call.function.arguments.city }}{% endfor %}
    {{- eos_token }}
    {%- endfor %}
    {%- if add_generation_prompt %}[a]{% endif %}
    """

  static let tokenizer: any Tokenizer = {
    do {
      let folder = try TemporaryFolder()
      let builder = SentencePieceModelBuilder(
        words: ["\u{2581}", "ab"], extra: [("<tool_call>", .userDefined), ("<mask>", .control)])
      try folder.write(builder.data, to: "tokenizer.model")
      return try TokenizerLoader.load(directory: folder.url)
    } catch {
      fatalError("the tests' tokenizer can't be made: \(error)")
    }
  }()

  static func chats(_ template: String = template) -> ChatEncoder {
    var settings = ChatSettings()
    settings.template = .source(template)
    return ChatEncoder(
      directory: URL(filePath: "/nowhere"), tokenizer: tokenizer, settings: settings)
  }

  /// Loads nothing and measures nothing, so that a test begins at once.
  static func make(
    settings: BatchSettings = BatchSettings(), template: String? = template,
    defaults: SamplingParameters = SamplingParameters(temperature: 1), context: Int? = nil
  ) throws -> ModelService {
    var model = model
    if let context {
      var longer = configuration
      longer.maximumContext = context
      model = CausalModel(random: longer, seed: 1)
    }
    let chats = template.map { Self.chats($0) }
    return ModelService(
      generator: try BatchGenerator(
        TextModel(model: model, tokenizer: tokenizer, chats: chats), settings: settings,
        threads: 1,
        cost: CostModel(verify: PassTimes([(1, 1), (64, 2)]), draft: PassTimes([(1, 1)]))),
      name: "tiny", fingerprint: "fp_test", defaults: defaults, mode: .speculative(),
      template: chats?.sources)
  }

  /// What a generator gives for one request alone.
  static func alone() throws -> TextGenerator {
    try TextGenerator(model: model, tokenizer: tokenizer, chats: chats(), threads: 1)
  }
}
