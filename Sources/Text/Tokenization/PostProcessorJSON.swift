import Files

/// Reads the `post_processor` of a tokenizer.json: what is put around a text.
enum PostProcessorJSON {
  /// Sets the prefix and suffix of a tokenizer.
  static func read(_ node: JSONNode, into parts: inout PieceTokenizer.Parts) throws {
    for (node, type, fields) in try node.sequence("processors", kind: "post_processor") {
      switch type {
      case "ByteLevel": break  // It only moves offsets.
      case "TemplateProcessing": try readTemplate(fields, node, into: &parts)
      case "BertProcessing", "RobertaProcessing":
        // A later processor wraps what an earlier one made.
        parts.prefix.insert(try token("cls", fields, node, parts), at: 0)
        parts.suffix.append(try token("sep", fields, node, parts))
      default: throw node.error("the post_processor \(quoted(type)) is not supported")
      }
    }
  }

  /// The token of a pair of spelling and number.
  private static func token(
    _ key: String, _ fields: [String: JSONNode], _ node: JSONNode, _ parts: PieceTokenizer.Parts
  ) throws -> Token {
    let pair = try fields[key]?.elements() ?? []
    guard pair.count == 2, let id = pair[1].integer.flatMap(BytePairModelJSON.token),
      id < max(parts.model.vocabularySize, parts.added.endID)
    else { throw node.error("the post_processor's '\(key)' is no pair of a spelling and an id") }
    return id
  }

  private static func readTemplate(
    _ fields: [String: JSONNode], _ node: JSONNode, into parts: inout PieceTokenizer.Parts
  ) throws {
    guard let template = fields["single"], template.isArray else {
      throw node.error("a post_processor 'TemplateProcessing' has no list 'single'")
    }
    let vocabularySize = max(parts.model.vocabularySize, parts.added.endID)
    let special = try fields["special_tokens"]?.members() ?? [:]
    var prefix: [Token] = []
    var suffix: [Token] = []
    var texts = 0
    for item in try template.elements() {
      let members = try item.members()
      if members["Sequence"] != nil {
        texts += 1
      } else if let name = try members["SpecialToken"]?.members()["id"]?.string {
        let ids = try special[name]?.members()["ids"]?.elements() ?? []
        let tokens = ids.compactMap { $0.integer.flatMap(BytePairModelJSON.token) }
        guard !tokens.isEmpty, tokens.count == ids.count,
          tokens.allSatisfy({ $0 < vocabularySize })
        else {
          throw item.error("the post_processor's token \(quoted(name)) has no usable 'ids'")
        }
        if texts == 0 { prefix += tokens } else { suffix += tokens }
      } else {
        throw item.error("the post_processor's template has an item that is not supported")
      }
    }
    guard texts == 1 else {
      throw node.error("the post_processor's template has the text \(texts) times, not once")
    }
    // A later processor wraps what an earlier one made.
    parts.prefix = prefix + parts.prefix
    parts.suffix += suffix
  }
}
