import Files
import Foundation

/// Reads a `tokenizer.json` of huggingface/tokenizers whose model is a byte-pair encoding.
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
  func parts(_ configuration: TokenizerConfiguration) throws -> BytePairTokenizer.Parts {
    let normalizer = try TextNormalizer(part("normalizer"))
    let pipeline = try PreTokenizerJSON(part("pre_tokenizer"))
    let replacesSpaces =
      pipeline.preTokenizer.replacesSpaces
      || normalizer.steps.contains(.replace([0x20], with: PreTokenizer.metaspace))
    guard pipeline.isByteLevel || replacesSpaces else {
      throw root.error("a pre_tokenizer that is neither ByteLevel nor Metaspace is not supported")
    }
    let reader = BytePairModelJSON(
      node: members["model"] ?? root, isByteLevel: pipeline.isByteLevel)
    let model = try reader.model()
    let added = try addedTokens(model)
    var tokenizer = BytePairTokenizer.Parts(
      model: model, added: AddedTokens(added, normalizer: normalizer), normalizer: normalizer,
      preTokenizer: pipeline.preTokenizer)
    tokenizer.leadingSpaceRule = try leadingSpaceRule(
      isByteLevel: pipeline.isByteLevel, hasPrefix: pipeline.preTokenizer.spacePrefix != .never)
    if let processor = part("post_processor") {
      try PostProcessorJSON.read(processor, into: &tokenizer)
    }
    try configuration.complete(&tokenizer)
    return tokenizer
  }

  // MARK: Added tokens

  private func addedTokens(_ model: BytePairModel) throws -> [AddedToken] {
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

  // MARK: Decoder

  private func leadingSpaceRule(isByteLevel: Bool, hasPrefix: Bool) throws -> LeadingSpaceRule {
    guard let decoder = part("decoder") else { return hasPrefix && !isByteLevel ? .dropOne : .keep }
    var rule = LeadingSpaceRule.keep
    for (node, type, fields) in try decoder.sequence("decoders", kind: "decoder") {
      switch type {
      case "ByteLevel" where isByteLevel: break
      case "Fuse": break
      case "ByteFallback" where !isByteLevel: break
      case "Metaspace" where !isByteLevel:
        if try PreTokenizerJSON.prefix(ofMetaspace: fields, node) != .never { rule = .dropOne }
      case "Replace" where !isByteLevel:
        let pattern = try fields["pattern"]?.members()["String"]?.string
        guard pattern == "\u{2581}", fields["content"]?.string == " " else {
          throw node.error("a decoder Replace other than '▁' by ' ' is not supported")
        }
      case "Strip" where !isByteLevel:
        let start = fields["start"]?.integer
        guard fields["content"]?.string == " ", fields["stop"]?.integer == 0,
          start == 0 || start == 1
        else {
          throw node.error("a decoder Strip other than of one ' ' at the start is not supported")
        }
        if start == 1 { rule = .dropOne }
      default:
        throw node.error("the decoder \(quoted(type)) is not supported with this pre_tokenizer")
      }
    }
    return rule
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
  /// Reads the `normalizer` of a tokenizer.json, `nil` for none.
  init(_ node: JSONNode?) throws {
    guard let node else { return }
    for (node, type, fields) in try node.sequence("normalizers", kind: "normalizer") {
      switch type {
      case "NFC": steps.append(.nfc)
      case "Prepend":
        guard let prefix = fields["prepend"]?.string else {
          throw node.error("the normalizer 'Prepend' has no 'prepend'")
        }
        steps.append(.prepend(prefix))
      case "Replace":
        guard let old = try fields["pattern"]?.members()["String"]?.stringBytes, !old.isEmpty,
          let new = fields["content"]?.stringBytes
        else {
          throw node.error("a normalizer 'Replace' of anything but a string is not supported")
        }
        steps.append(.replace(Array(old), with: Array(new)))
      default: throw node.error("the normalizer \(quoted(type)) is not supported")
      }
    }
    // Each replacement may make more places for the next.
    let growth = steps.reduce(1.0) { growth, step in
      guard case .replace(let old, let new) = step else { return growth }
      return growth * max(1, Double(new.count) / Double(old.count))
    }
    guard growth <= 4096 else {
      throw node.error("the normalizer's replacements make texts over 4096 times as long")
    }
  }
}
