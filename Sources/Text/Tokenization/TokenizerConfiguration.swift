import Files
import Foundation

/// The fields of `tokenizer_config.json` and `special_tokens_map.json` that change what a
/// tokenizer does; all may be absent.
struct TokenizerConfiguration: Equatable {
  var addsBegin: Bool?
  var addsEnd: Bool?
  var beginToken: String?
  var endToken: String?
  /// Whether `tokenizer_config.json` says anything about what is added, be it only null.
  var tellsWhatIsAdded = false
  /// The class of Python's transformers that the files were made for.
  var className: String?

  init() {}

  /// Reads the folder's files; without them every field is `nil`.
  init(directory: URL) throws {
    if let fields = try Self.fields(of: directory.appending(path: "tokenizer_config.json")) {
      addsBegin = try Self.flag("add_bos_token", fields)
      addsEnd = try Self.flag("add_eos_token", fields)
      tellsWhatIsAdded = fields["add_bos_token"] != nil || fields["add_eos_token"] != nil
      beginToken = try Self.spelling(fields["bos_token"])
      endToken = try Self.spelling(fields["eos_token"])
      className = fields["tokenizer_class"]?.string
    }
    if let fields = try Self.fields(of: directory.appending(path: "special_tokens_map.json")) {
      beginToken = try beginToken ?? Self.spelling(fields["bos_token"])
      endToken = try endToken ?? Self.spelling(fields["eos_token"])
    }
  }

  static func fields(of file: URL) throws -> [String: JSONNode]? {
    guard TokenizerFiles.exists(file) else { return nil }
    let node = try JSONText(TokenizerFiles.read(file), name: file.path).root
    guard node.isObject else { throw node.error("this is not a JSON object; copy the file again") }
    return try node.members()
  }

  private static func flag(_ key: String, _ fields: [String: JSONNode]) throws -> Bool? {
    guard let value = fields[key], !value.isNull else { return nil }
    guard let flag = value.bool else { throw value.error("'\(key)' is not true or false") }
    return flag
  }

  /// A token is given by its spelling or by an object whose `content` is the spelling.
  static func spelling(_ value: JSONNode?) throws -> String? {
    try value?.string ?? value?.members()["content"]?.string
  }

  /// The names that published models give their end token, for files that do not say.
  private static let usualEndTokens = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<|im_end|>"]

  /// Sets the begin and end tokens of a tokenizer, and what is added around a text.
  ///
  /// `add_bos_token` or `add_eos_token` replaces all that the tokenizer's own file adds, as transformers
  /// makes a post-processor of them; where only one is there, the other counts as false.
  func complete(_ parts: inout PieceTokenizer.Parts) throws {
    let (model, added) = (parts.model, parts.added)
    func token(_ spelling: String?) -> Token? {
      spelling.flatMap { added.id(of: $0) ?? model.token(ofSpelling: $0) }
    }
    let end = token(endToken)
    parts.beginToken = token(beginToken) ?? parts.beginToken ?? parts.prefix.first
    if let end {
      parts.endTokens = [end]
    } else if parts.endTokens.isEmpty {
      let usual = Self.usualEndTokens.lazy.compactMap { added.id(of: $0) }
      parts.endTokens = usual.first.map { [$0] } ?? []
    }
    guard tellsWhatIsAdded else { return }
    for (spelling, adds) in [(beginToken, addsBegin), (endToken, addsEnd)] {
      if adds == true, let spelling, token(spelling) == nil {
        throw SpeculateError(
          "tokenizer_config.json adds \(quoted(spelling)) to every text, but the tokenizer has no such "
            + "token; copy both files again")
      }
    }
    let suffix = end ?? parts.suffix.last
    parts.prefix = addsBegin == true ? parts.beginToken.map { [$0] } ?? [] : []
    parts.suffix = addsEnd == true ? suffix.map { [$0] } ?? [] : []
  }
}
