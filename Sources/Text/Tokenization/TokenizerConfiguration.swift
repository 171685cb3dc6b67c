import Files
import Foundation

/// The fields of `tokenizer_config.json` and `special_tokens_map.json` that change what a
/// tokenizer does; all may be absent.
struct TokenizerConfiguration: Equatable {
  var addsBegin: Bool?
  var addsEnd: Bool?
  var beginToken: String?
  var endToken: String?
  /// The class of Python's transformers that the files were made for.
  var className: String?

  init() {}

  /// Reads the folder's files; without them every field is `nil`.
  init(directory: URL) throws {
    if let fields = try Self.fields(of: directory.appending(path: "tokenizer_config.json")) {
      addsBegin = fields["add_bos_token"]?.bool
      addsEnd = fields["add_eos_token"]?.bool
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

  /// A token is given by its spelling or by an object whose `content` is the spelling.
  static func spelling(_ value: JSONNode?) throws -> String? {
    try value?.string ?? value?.members()["content"]?.string
  }

  /// The names that published models give their end token, for files that do not say.
  private static let usualEndTokens = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<|im_end|>"]

  /// Sets the begin and end tokens of a tokenizer, and adds a begin token in front where this asks
  /// for it and the tokenizer's own file says nothing about what is added.
  func complete(_ parts: inout BytePairTokenizer.Parts) throws {
    let (model, added) = (parts.model, parts.added)
    func token(_ spelling: String?) -> Token? {
      spelling.flatMap { added.id(of: $0) ?? model.token(ofSpelling: $0) }
    }
    parts.beginToken = token(beginToken) ?? parts.beginToken ?? parts.prefix.first
    if let end = token(endToken) {
      parts.endTokens = [end]
    } else if parts.endTokens.isEmpty {
      let usual = Self.usualEndTokens.lazy.compactMap { added.id(of: $0) }
      parts.endTokens = usual.first.map { [$0] } ?? []
    }
    if addsBegin == true, parts.prefix.isEmpty, let begin = parts.beginToken {
      parts.prefix = [begin]
    }
  }
}
