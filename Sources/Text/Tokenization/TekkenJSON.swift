import Files
import Foundation

/// Reads a `tekken.json` of Mistral: the bytes of each piece, base64, in the order of their ranks, and
/// special tokens whose numbers come before the pieces'.
///
/// Follows mistral_common 1.13 (`tokens/tokenizers/tekken.py`) and tiktoken: of two neighbours those are
/// merged first whose bytes together have the lowest rank, and a word that is a piece is that piece.
struct TekkenJSON {
  private let root: JSONNode
  private let settings: JSONSettings

  /// Reads and checks a file's text.
  init(_ data: Data, name: String) throws {
    root = try JSONText(data, name: name).root
    let members = try root.members()
    guard let config = members["config"], config.isObject, members["vocab"]?.isArray == true else {
      throw root.error("there is no 'config' or no list 'vocab'; this is not a tekken.json")
    }
    settings = JSONSettings(config, try config.members(), of: "config")
  }

  /// What files before version 11, which list no special tokens, mean.
  private static let usualSpecialTokens = [
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]",
    "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
  ]

  /// No piece of a vocabulary has more bytes.
  private static let longestPiece = 1024

  /// Puts the tokenizer together; `configuration` may name other begin and end tokens.
  func parts(_ configuration: TokenizerConfiguration) throws -> PieceTokenizer.Parts {
    guard let pattern = try settings.string("pattern") else {
      throw root.error("the config has no 'pattern'")
    }
    let specialCount = try count("default_num_special_tokens")
    let special = try specialTokens(specialCount)
    let size = try count("default_vocab_size")
    guard size > specialCount else {
      throw root.error("'default_vocab_size' leaves no pieces beside the special tokens")
    }
    let model = try model(size - specialCount, firstToken: specialCount)
    // What no match covers is dropped.
    let step =
      try PreTokenizer.Step(pattern: pattern)
      ?? .split(
        TextSplit(
          .pattern(try RegularExpression(pattern, name: root.text.name)), .removed, isInverted: true
        ))
    var parts = PieceTokenizer.Parts(
      model: model, added: try AddedTokens(special), preTokenizer: PreTokenizer(steps: [step]))
    parts.beginToken = parts.added.id(of: "<s>")
    parts.endTokens = parts.added.id(of: "</s>").map { [$0] } ?? []
    parts.prefix = parts.beginToken.map { [$0] } ?? []
    try configuration.complete(&parts)
    return parts
  }

  private func count(_ key: String) throws -> Int {
    guard let count = try settings.integer(key), BytePairModelJSON.token(count) != nil else {
      throw root.error("the config's '\(key)' is no count of tokens")
    }
    return count
  }

  private func specialTokens(_ count: Int) throws -> [AddedToken] {
    var spellings: [String] = []
    if let list = try root.members()["special_tokens"], !list.isNull {
      try list.forEachElement { element in
        let fields = try element.members()
        guard let text = fields["token_str"]?.string, !text.isEmpty,
          fields["rank"]?.integer == spellings.count
        else {
          throw element.error(
            "special token \(spellings.count) has no 'token_str' or another 'rank'")
        }
        spellings.append(text)
      }
    } else {
      spellings = Self.usualSpecialTokens
    }
    // The numbers are counted in a file of many pieces, so a count that is far off is damage.
    guard spellings.count <= count, count <= max(1 << 14, 4 * spellings.count) else {
      throw root.error(
        "'default_num_special_tokens' is \(count), but there are \(spellings.count) special tokens")
    }
    spellings += (spellings.count..<count).map { "<SPECIAL_\($0)>" }
    guard Set(spellings.map { Array($0.utf8) }).count == count else {
      throw root.error("two special tokens have the same spelling")
    }
    return spellings.enumerated().map {
      AddedToken(id: Token($0.offset), content: $0.element, special: true)
    }
  }

  private func model(_ count: Int, firstToken: Int) throws -> BytePairModel {
    var pieces = ByteStringTable(minimumCapacity: 1 << 12)
    try root.members()["vocab"]?.forEachElement { element in
      guard pieces.count < count else { return }
      let fields = try element.members()
      guard let text = fields["token_bytes"]?.string, let bytes = Data(base64Encoded: text),
        (1...Self.longestPiece).contains(bytes.count), fields["rank"]?.integer == pieces.count
      else {
        throw element.error("piece \(pieces.count) has no usable 'token_bytes' or another 'rank'")
      }
      guard Array(bytes).withUnsafeBufferPointer({ pieces.insert($0) }).isNew else {
        throw element.error("piece \(pieces.count) is there twice")
      }
    }
    guard pieces.count == count else {
      throw root.error("there are \(pieces.count) pieces of the \(count) that the config tells of")
    }
    let tokens = (0..<count).map { Token(firstToken + $0) }
    var merges: [(left: Int, right: Int, merged: Int)] = []
    for merged in 0..<count {
      let piece = pieces[merged]
      for middle in piece.indices.dropFirst() {
        if let left = pieces.index(of: piece[..<middle]),
          let right = pieces.index(of: piece[middle...])
        {
          merges.append((left, right, merged))
        }
      }
    }
    var table = MergeTable(capacity: merges.count)
    for merge in merges {
      table[tokens[merge.left], tokens[merge.right]] = .init(
        rank: UInt32(merge.merged), token: tokens[merge.merged])
    }
    return BytePairModel(
      symbols: .bytes, pieces: pieces, tokens: tokens, merges: table, ignoresMerges: true)
  }
}
