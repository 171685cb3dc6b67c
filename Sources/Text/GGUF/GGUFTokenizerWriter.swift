package import Files
package import Foundation

/// The metadata that a folder's tokenizer and chat template become in a GGUF file.
///
/// What the format can't say is an error that names it. The result is read again and tried on a text
/// before anybody gets it.
package struct GGUFTokenizerWriter {
  static let prefix = "tokenizer.ggml."

  /// The kinds of tokens by their numbers in files.
  enum Kind: Int32 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  let directory: URL
  let vocabularySize: Int
  private let begin: Token?
  private let ends: [Token]

  /// - Parameters:
  ///   - directory: The model's folder.
  ///   - vocabularySize: Rows of the model's embedding, at least as many as there are tokens.
  ///   - begin: The model's begin token, where the tokenizer names none.
  ///   - ends: The tokens that end the model's texts.
  package init(directory: URL, vocabularySize: Int, begin: Token?, ends: [Token]) {
    self.directory = directory
    self.vocabularySize = vocabularySize
    self.begin = begin
    self.ends = ends
  }

  func problem(_ text: String) -> SpeculateError {
    SpeculateError("\(directory.path): \(text)")
  }

  /// The keys and values; a folder without a tokenizer makes a file without one.
  ///
  /// - Throws: `SpeculateError` naming what a GGUF file can't say of the tokenizer.
  package func metadata() throws -> [(key: String, value: GGUFValue)] {
    guard !TokenizerLoader.files(in: directory).isEmpty else {
      return [(Self.prefix + "model", .string("none"))] + ids(begin: begin, ends: ends)
    }
    let tokenizer = try TokenizerLoader.load(directory: directory)
    guard tokenizer.vocabularySize <= vocabularySize else {
      throw problem(
        "the tokenizer has \(tokenizer.vocabularySize) tokens, but the model only \(vocabularySize)"
      )
    }
    // Where both are there, the model file is what the other was made from.
    let file = directory.appending(path: "tokenizer.model")
    var keys: [(key: String, value: GGUFValue)]
    let pieces = tokenizer as? PieceTokenizer
    if TokenizerFiles.exists(file), pieces?.bytePairs?.isByteLevel != true {
      keys = try sentencePieces(file, tokenizer)
    } else if let pieces, let model = pieces.bytePairs {
      keys = try (model.isByteLevel ? bytePairs : characterPairs)(pieces.contents, model)
    } else {
      throw problem(
        pieces == nil
          ? "a tokenizer of this kind can't be written to a GGUF file"
          : "a tokenizer of the model Unigram can't be written to a GGUF file yet")
    }
    var ends = tokenizer.endTokens
    ends += self.ends.filter { !ends.contains($0) }
    keys += ids(begin: tokenizer.beginToken ?? begin, ends: ends)
    keys += try templates()
    try check(keys, tokenizer)
    return keys
  }

  /// The ids of the begin and end tokens.
  private func ids(begin: Token?, ends: [Token]) -> [(key: String, value: GGUFValue)] {
    var keys: [(key: String, value: GGUFValue)] = []
    func add(_ key: String, _ token: Token?) {
      if let token, token >= 0 { keys.append((Self.prefix + key, .uint32(UInt32(token)))) }
    }
    add("bos_token_id", begin)
    for (key, token) in zip(["eos_token_id", "eot_token_id", "eom_token_id"], ends) {
      add(key, token)
    }
    return keys
  }

  private func templates() throws -> [(key: String, value: GGUFValue)] {
    let files = try ChatTemplateFiles(directory: directory)
    var keys: [(key: String, value: GGUFValue)] = []
    let others = files.templates.keys.filter { $0 != GGUFTemplates.usual }.sorted()
    if let template = files.templates[GGUFTemplates.usual] {
      keys.append((GGUFTemplates.key, .string(template.text)))
    }
    if !others.isEmpty {
      keys.append((GGUFTemplates.namesKey, .array(GGUFArray(strings: others))))
    }
    for name in others {
      guard let template = files.templates[name] else { continue }
      keys.append((GGUFTemplates.key(named: name), .string(template.text)))
    }
    return keys
  }

  func vocabulary(
    _ model: String, _ entry: (Token) throws -> (text: String, kind: Kind)?
  ) throws -> [(key: String, value: GGUFValue)] {
    let entries = try (0..<vocabularySize).map { id in
      try entry(Token(id)) ?? (text: "[PAD\(id)]", kind: .unused)
    }
    return [
      (Self.prefix + "model", .string(model)),
      (Self.prefix + "tokens", .array(GGUFArray(strings: entries.map(\.text)))),
      (
        Self.prefix + "token_type",
        .array(GGUFArray(entries.map { .int32($0.kind.rawValue) }, of: .int32))
      ),
    ]
  }

  /// Checks that a reader of the file cuts a text as the folder's tokenizer does.
  private func check(
    _ keys: [(key: String, value: GGUFValue)], _ tokenizer: any Tokenizer
  ) throws {
    let file = GGUFFile(
      planned: directory, metadata: Dictionary(keys.map { ($0.key, $0.value) }) { $1 },
      tensors: [], values: [:])
    let written = try GGUFTokenizer.load(file)
    for text in TokenizerSample.texts {
      let (mine, theirs) = (
        try tokenizer.encode(text, addSpecial: true), try written.encode(text, addSpecial: true)
      )
      guard mine == theirs else {
        throw problem(
          "a GGUF file can't say how this tokenizer cuts texts: \(quoted(text)) becomes \(mine), but "
            + "\(theirs) with the file's")
      }
    }
  }
}
