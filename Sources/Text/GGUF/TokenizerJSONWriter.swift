import Files
import Foundation

/// Writes a byte-level tokenizer as a `tokenizer.json` of huggingface/tokenizers.
struct TokenizerJSONWriter {
  private let parts: PieceTokenizer.Parts
  private let model: BytePairModel
  private let path: String

  /// - Parameter path: What error messages begin with.
  /// - Throws: `SpeculateError` if it is another tokenizer.
  init(_ tokenizer: PieceTokenizer, _ path: String) throws {
    guard let model = tokenizer.bytePairs, model.isByteLevel else {
      throw SpeculateError(
        "\(path): a tokenizer of pieces that aren't bytes can't be written as tokenizer.json yet; "
          + "convert to a GGUF file")
    }
    parts = tokenizer.contents
    self.model = model
    self.path = path
  }

  /// The file's content.
  ///
  /// - Throws: `SpeculateError` if such a file can't say how texts are cut.
  func data() throws -> Data {
    var text = Data("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,".utf8)
    func member(_ name: String, _ value: JSONValue) {
      text += Data("\"\(name)\":".utf8) + value.encoded() + Data(",".utf8)
    }
    member("added_tokens", .array(addedTokens))
    member("normalizer", parts.normalizer.steps.isEmpty ? .null : .object(["type": .string("NFC")]))
    member("pre_tokenizer", try preTokenizer())
    member("post_processor", try postProcessor())
    member("decoder", Self.byteLevel())
    text += Data("\"model\":".utf8) + (try encodedModel()) + Data("}\n".utf8)
    return text
  }

  /// Vocabulary and merges, whose pieces differ by bytes: no dictionary of strings holds them.
  private func encodedModel() throws -> Data {
    var vocabulary: [Data] = []
    for id in 0..<Token(model.vocabularySize) {
      guard let spelling = model.spelling(of: id) else { continue }
      vocabulary.append(Self.quoted(spelling) + Data(":\(id)".utf8))
    }
    let merges = model.merges.ranked.map { merge in
      let (left, right) = (model.spelling(of: merge.left), model.spelling(of: merge.right))
      return Data("[".utf8) + Self.quoted(left ?? "") + Data(",".utf8) + Self.quoted(right ?? "")
        + Data("]".utf8)
    }
    let comma = Data(",".utf8)
    var text = Data(
      """
      {"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,\
      "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,\
      "ignore_merges":\(model.wholeWords == .all),"vocab":{
      """.utf8)
    text += Data(vocabulary.joined(separator: comma))
    text += Data("},\"merges\":[".utf8)
    text += Data(merges.joined(separator: comma))
    text += Data("]}".utf8)
    return text
  }

  private static func quoted(_ text: String) -> Data { Data(jsonLiteral(text).utf8) }

  private var addedTokens: [JSONValue] {
    let size = max(model.vocabularySize, parts.added.endID)
    return (0..<Token(size)).compactMap { parts.added[$0] }.map { token in
      .object([
        "id": .integer(Int(token.id)), "content": .string(token.content),
        "special": .bool(token.special), "single_word": .bool(token.singleWord),
        "lstrip": .bool(token.stripsLeft), "rstrip": .bool(token.stripsRight),
        "normalized": .bool(token.normalized),
      ])
    }
  }

  private static func byteLevel(prefix: Bool = false, pattern: Bool = false) -> JSONValue {
    .object([
      "type": .string("ByteLevel"), "add_prefix_space": .bool(prefix), "trim_offsets": .bool(true),
      "use_regex": .bool(pattern),
    ])
  }

  private func preTokenizer() throws -> JSONValue {
    var steps = parts.preTokenizer.steps
    if case .prefix(_, .always) = steps.first {
      // Only the step that spells bytes can put a space in front.
      steps.removeFirst()
      let isGPT2 = if case .gpt2 = steps.first { steps.count == 1 } else { false }
      guard isGPT2 || steps.isEmpty else {
        throw SpeculateError(
          "\(path): add_space_prefix beside this pre-tokenizer can't be said in tokenizer.json")
      }
      return Self.byteLevel(prefix: true, pattern: isGPT2)
    }
    return .object([
      "type": .string("Sequence"),
      "pretokenizers": .array(try steps.map(step) + [Self.byteLevel()]),
    ])
  }

  private func step(_ step: PreTokenizer.Step) throws -> JSONValue {
    if case .digits(let each) = step {
      return .object(["type": .string("Digits"), "individual_digits": .bool(each)])
    }
    guard let pattern = step.isolatedPattern else {
      throw SpeculateError(
        "\(path): the way in which this tokenizer cuts texts can't be said in tokenizer.json")
    }
    return .object([
      "type": .string("Split"), "pattern": .object(["Regex": .string(pattern)]),
      "behavior": .string("Isolated"), "invert": .bool(false),
    ])
  }

  private func postProcessor() throws -> JSONValue {
    guard !(parts.prefix + parts.suffix).isEmpty else { return .null }
    func token(_ id: Token) -> JSONValue {
      .object(["SpecialToken": .object(["id": .string("\(id)"), "type_id": .integer(0)])])
    }
    let text: JSONValue = .object([
      "Sequence": .object(["id": .string("A"), "type_id": .integer(0)])
    ])
    var special: [String: JSONValue] = [:]
    for id in parts.prefix + parts.suffix {
      special["\(id)"] = .object([
        "id": .string("\(id)"), "ids": .array([.integer(Int(id))]),
        "tokens": .array([.string(spelling(of: id))]),
      ])
    }
    let second: JSONValue = .object([
      "Sequence": .object(["id": .string("B"), "type_id": .integer(1)])
    ])
    return .object([
      "type": .string("TemplateProcessing"),
      "single": .array(parts.prefix.map(token) + [text] + parts.suffix.map(token)),
      "pair": .array(parts.prefix.map(token) + [text, second] + parts.suffix.map(token)),
      "special_tokens": .object(special),
    ])
  }

  private func spelling(of id: Token) -> String {
    parts.added[id]?.content ?? model.spelling(of: id) ?? ""
  }
}
