import Files
import Foundation

/// Reads a `tokenizer.json` of huggingface/tokenizers whose model is BPE or Unigram.
///
/// Whatever such a file may ask for and is not supported is an error that names it: a tokenizer
/// that ignored it would give a model tokens it was not trained on.
struct TokenizerJSON {
  private let root: JSONNode
  private let members: [String: JSONNode]

  /// Reads and checks a file's text.
  init(_ data: Data, name: String) throws {
    root = try JSONText(data, name: name).root
    members = try root.members()
    guard let model = members["model"], model.isObject else {
      throw root.error("there is no 'model'; this is not a tokenizer.json")
    }
  }

  private func part(_ key: String) -> JSONNode? { members[key].flatMap { $0.isNull ? nil : $0 } }

  /// Puts the tokenizer together; `configuration` names its begin and end tokens.
  func parts(_ configuration: TokenizerConfiguration) throws -> PieceTokenizer.Parts {
    let normalizer = try TextNormalizer(part("normalizer"))
    var pipeline = try PreTokenizerJSON(part("pre_tokenizer"))
    let decoder = try decoder(pipeline, normalizer)
    // A model that sees bytes at the end and gives them back needs no characters for them.
    let reader = try PieceModelJSON(
      members["model"] ?? root,
      seesBytes: pipeline.endsWithByteLevel && decoder.isByteLevel)
    if reader.isByteLevel { pipeline.preTokenizer.steps.removeLast() }
    let model = try reader.model()
    var tokenizer = PieceTokenizer.Parts(
      model: model,
      added: try AddedTokens(try addedTokens(model), normalizer: normalizer),
      normalizer: normalizer, preTokenizer: pipeline.preTokenizer)
    tokenizer.decoder = decoder
    if let processor = part("post_processor") {
      try PostProcessorJSON.read(processor, into: &tokenizer)
    }
    try configuration.complete(&tokenizer)
    return tokenizer
  }

  /// What pieces add to a text. Without a decoder it is told by how spaces are spelled.
  private func decoder(
    _ pipeline: PreTokenizerJSON, _ normalizer: TextNormalizer
  ) throws -> PieceDecoder {
    if let decoder = part("decoder") { return try PieceDecoder(decoder) }
    if pipeline.endsWithByteLevel { return PieceDecoder(steps: [.byteAlphabet]) }
    var decoder = PieceDecoder.sentencePiece
    guard pipeline.spaceReplacement == PreTokenizer.metaspace || normalizer.replacesSpaces else {
      throw root.error(
        "a tokenizer without a 'decoder' is supported with the pre_tokenizers ByteLevel and Metaspace"
      )
    }
    if pipeline.hasPrefix { decoder.leadingSpaceRule = .dropOne }
    return decoder
  }

  // MARK: Added tokens

  private func addedTokens(_ model: any PieceModel) throws -> [AddedToken] {
    guard let list = part("added_tokens") else { return [] }
    guard list.isArray else { throw list.error("'added_tokens' is not a list") }
    return try list.elements().map { node in
      let fields = try node.members()
      guard let content = fields["content"]?.string else {
        throw node.error("an added token has no 'content'")
      }
      guard let id = fields["id"]?.integer, let token = BytePairModelJSON.token(id) else {
        throw node.error("the added token \(quoted(content)) has no usable 'id'")
      }
      if let piece = model.spelling(of: token), !piece.utf8.elementsEqual(content.utf8) {
        throw node.error(
          "the added token \(quoted(content)) has the id \(id), which the vocabulary gives to \(quoted(piece))"
        )
      }
      return AddedToken(
        id: token, content: content, special: fields["special"]?.bool ?? false,
        stripsLeft: fields["lstrip"]?.bool ?? false, stripsRight: fields["rstrip"]?.bool ?? false,
        singleWord: fields["single_word"]?.bool ?? false,
        normalized: fields["normalized"]?.bool ?? false)
    }
  }
}

extension JSONNode {
  /// The processors of a node that is one itself, or a `Sequence` of them under `key`, in order,
  /// each with its type and members.
  func sequence(
    _ key: String, kind: String
  ) throws -> [(node: JSONNode, type: String, fields: [String: JSONNode])] {
    let fields = try members()
    guard let type = fields["type"]?.string else { throw error("a \(kind) has no 'type'") }
    guard type == "Sequence" else { return [(self, type, fields)] }
    guard let list = fields[key], list.isArray else {
      throw error("a \(kind) 'Sequence' has no list '\(key)'")
    }
    return try list.elements().flatMap { try $0.sequence(key, kind: kind) }
  }
}

extension TextNormalizer {
  /// Whether a space becomes "▁".
  fileprivate var replacesSpaces: Bool {
    steps.contains {
      guard case .replace(let old, let new) = $0 else { return false }
      return old == [UInt8(ascii: " ")] && new == PreTokenizer.metaspace
    }
  }
}

extension PieceDecoder {
  /// Whether all it does is to read the alphabet of bytes.
  fileprivate var isByteLevel: Bool {
    guard steps.count == 1, case .byteAlphabet = steps[0] else { return false }
    return leadingSpaceRule == .keep
  }
}
