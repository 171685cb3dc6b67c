package import Files
package import Foundation

/// The metadata that a folder's tokenizer and chat template become in a GGUF file.
///
/// What the format can't say is an error that names it. The result is read again and tried on a text
/// before anybody gets it.
package struct GGUFTokenizerWriter {
  private static let prefix = "tokenizer.ggml."

  /// The kinds of tokens by their numbers in files.
  private enum Kind: Int32 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  private let directory: URL
  private let vocabularySize: Int
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

  private func problem(_ text: String) -> SpeculateError {
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

  private func vocabulary(
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

  // MARK: Byte pairs

  private func bytePairs(
    _ parts: PieceTokenizer.Parts, _ model: BytePairModel
  ) throws -> [(key: String, value: GGUFValue)] {
    var steps = parts.preTokenizer.steps
    var addsSpace = false
    if case .prefix(_, .always) = steps.first {
      addsSpace = true
      steps.removeFirst()
    }
    let pre = try preTokenizer(steps, parts, model)
    var keys = try vocabulary("gpt2") { try entry($0, parts) }
    keys.append((Self.prefix + "pre", .string(pre)))
    keys.append((Self.prefix + "merges", .array(GGUFArray(strings: try merges(model)))))
    keys.append((Self.prefix + "add_space_prefix", .bool(addsSpace)))
    return try keys + additions(parts)
  }

  private func entry(
    _ id: Token, _ parts: PieceTokenizer.Parts
  ) throws -> (text: String, kind: Kind)? {
    guard let added = parts.added[id] else {
      return parts.model.spelling(of: id).map { ($0, .normal) }
    }
    guard !added.stripsLeft, !added.stripsRight, !added.singleWord else {
      let what = added.singleWord ? "single_word" : added.stripsLeft ? "lstrip" : "rstrip"
      throw problem(
        "a GGUF file can't say \"\(what)\" of the added token \(quoted(added.content))")
    }
    return (added.content, added.special ? .control : .userDefined)
  }

  private func merges(_ model: BytePairModel) throws -> [String] {
    try model.merges.ranked.map { merge in
      guard let left = model.spelling(of: merge.left), let right = model.spelling(of: merge.right)
      else { throw problem("a merge of the tokenizer has no spelling") }
      return "\(left) \(right)"
    }
  }

  /// The name of the way in which texts are cut.
  private func preTokenizer(
    _ steps: [PreTokenizer.Step], _ parts: PieceTokenizer.Parts, _ model: BytePairModel
  ) throws -> String {
    let composes = if case .form(.nfc) = parts.normalizer.steps.first { true } else { false }
    guard parts.normalizer.steps.count == (composes ? 1 : 0),
      let name = GGUFPreTokenizer.name(
        of: steps, composes: composes, ignoresMerges: model.ignoresMerges)
    else {
      throw problem("GGUF files have no name for the way in which this tokenizer cuts texts")
    }
    return name
  }

  /// Whether begin and end tokens are added.
  private func additions(
    _ parts: PieceTokenizer.Parts
  ) throws -> [(key: String, value: GGUFValue)] {
    let begin = parts.beginToken.map { [$0] } ?? []
    let end = parts.endTokens.prefix(1)
    guard parts.prefix.isEmpty || parts.prefix == begin,
      parts.suffix.isEmpty || parts.suffix == Array(end)
    else {
      throw problem(
        "the tokenizer puts tokens \(parts.prefix) and \(parts.suffix) around a text, but a GGUF file "
          + "can only say the begin and the end token")
    }
    return [
      (Self.prefix + "add_bos_token", .bool(!parts.prefix.isEmpty)),
      (Self.prefix + "add_eos_token", .bool(!parts.suffix.isEmpty)),
    ]
  }

  /// Byte pairs of characters, as of Llama 2, where `tokenizer.json` alone is there: the order of merges
  /// says what the scores were.
  private func characterPairs(
    _ parts: PieceTokenizer.Parts, _ model: BytePairModel
  ) throws -> [(key: String, value: GGUFValue)] {
    guard model.symbols == .scalars(byteFallback: true), !model.ignoresMerges else {
      throw problem("a tokenizer of characters without byte fallback can't be a GGUF file's")
    }
    var scores: [Token: Float] = [:]
    for merge in model.merges.ranked where scores[merge.merge.token] == nil {
      scores[merge.merge.token] = -Float(scores.count)
    }
    let bytes = Set(model.byteTokens)
    var keys = try vocabulary("llama") { id in
      if id == model.unknownToken {
        return (model.spelling(of: id) ?? "<unk>", .unknown)
      }
      if parts.added[id] == nil, bytes.contains(id) {
        return (model.spelling(of: id) ?? "", .byte)
      }
      return try entry(id, parts)
    }
    keys.append(
      (
        Self.prefix + "scores",
        .array(
          GGUFArray(
            (0..<Token(vocabularySize)).map { .float32(scores[$0] ?? -1e6) }, of: .float32))
      ))
    if let unknown = model.unknownToken {
      keys.append((Self.prefix + "unknown_token_id", .uint32(UInt32(unknown))))
    }
    let prepends = parts.normalizer.steps.contains {
      if case .prepend = $0 { true } else { false }
    }
    let prefixes = parts.preTokenizer.steps.contains {
      if case .prefix(_, let when) = $0 { when != .never } else { false }
    }
    keys.append((Self.prefix + "add_space_prefix", .bool(prepends || prefixes)))
    return try keys + additions(parts)
  }

  // MARK: SentencePiece

  private func sentencePieces(
    _ file: URL, _ tokenizer: any Tokenizer
  ) throws -> [(key: String, value: GGUFValue)] {
    let model = try SentencePieceContents(model: TokenizerFiles.read(file), name: file.path)
    guard model.algorithm == 2 else {
      throw SpeculateError(
        "\(file.path): a model that is not of byte pairs can't be written to a GGUF file yet")
    }
    guard !model.replacesCharacters else {
      throw SpeculateError(
        "\(file.path): normalization (precompiled_charsmap) can't be written to a GGUF file yet")
    }
    guard model.pieces.count <= vocabularySize else {
      throw problem(
        "tokenizer.model has \(model.pieces.count) pieces, but the model only \(vocabularySize)")
    }
    // Tokens that tokenizer.json adds behind those of the model file.
    let more = (tokenizer as? PieceTokenizer)?.contents
    var keys = try vocabulary("llama") { id in
      guard model.pieces.indices.contains(Int(id)) else {
        return try more.flatMap { $0.added[id] == nil ? nil : try entry(id, $0) }
      }
      let piece = model.pieces[Int(id)]
      let kind = Kind(rawValue: Int32(piece.kind)) ?? .normal
      return (piece.text, more?.added[id]?.special == true && kind == .normal ? .control : kind)
    }
    keys.append(
      (
        Self.prefix + "scores",
        .array(
          GGUFArray(
            (0..<vocabularySize).map {
              .float32(model.pieces.indices.contains($0) ? model.pieces[$0].score : -1e6)
            }, of: .float32))
      ))
    if let unknown = model.pieces.firstIndex(where: { $0.kind == 2 }) {
      keys.append((Self.prefix + "unknown_token_id", .uint32(UInt32(unknown))))
    }
    let around = try tokenizer.encode("a", addSpecial: true)
    let inside = try tokenizer.encode("a", addSpecial: false)
    keys += [
      (Self.prefix + "add_space_prefix", .bool(model.addsDummyPrefix)),
      (Self.prefix + "remove_extra_whitespaces", .bool(model.removesExtraSpaces)),
      (Self.prefix + "add_bos_token", .bool(around.first != inside.first)),
      (Self.prefix + "add_eos_token", .bool(around.last != inside.last)),
    ]
    return keys
  }

  // MARK: What readers make of it

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

/// Texts on which tokenizers tend to differ.
enum TokenizerSample {
  static let texts = [
    "Hello, world! It's 2,024 o'clock - we'RE (not) here…",
    " leading and  double   spaces\tand\ttabs \n\n and\r\nlines \n",
    "func f(_ x: [Int]) -> Int { return x[0] + 1234567 * 0x1F }  // done\n\n\n",
    "Füße, naïve café, e\u{301}, Ｆｕｌｌ, Привет мир, 你好世界, こんにちは, العربية, 한국어",
    "👩‍👩‍👧 🇩🇪 ①②③ ½ ² \u{200B}\u{A0}x\u{3000}y <|im_end|> </s> <unk> ''' \"\"",
    "a", " ", "",
  ]
}
