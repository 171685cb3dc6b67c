package import Files
import Foundation

/// Makes the tokenizer that a GGUF model's metadata describes.
package enum GGUFTokenizer {
  private static let prefix = "tokenizer.ggml."

  /// The kinds of tokens by their numbers in files.
  private enum Kind: Int {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  /// One token of the vocabulary.
  private struct Entry {
    let text: String
    let kind: Kind
  }

  /// Loads the tokenizer of a model.
  ///
  /// - Throws: `SpeculateError` naming the file and the key that is missing, damaged or not supported.
  package static func load(_ file: GGUFFile) throws -> any Tokenizer {
    let entries = try entries(file)
    switch file.metadata[prefix + "model"]?.text {
    case "gpt2": return try bytePairs(file, entries, try preTokenizer(file))
    case "gemma4":
      let newlines = GGUFPreTokenizer.named("gemma4")
      return try bytePairs(file, entries, try newlines ?? preTokenizer(file))
    case "llama": return try sentencePiece(file, entries, .bytePairs)
    case "t5": return try sentencePiece(file, entries, .unigram)
    case let model:
      throw problem(
        file,
        "the tokenizer model \(model.map(quoted) ?? "is missing, which") is not supported; "
          + "only gpt2, gemma4, llama and t5 are")
    }
  }

  private static func problem(_ file: GGUFFile, _ text: String) -> SpeculateError {
    SpeculateError("\(file.url.path): \(text)")
  }

  private static func entries(_ file: GGUFFile) throws -> [Entry] {
    guard let texts = file.metadata[prefix + "tokens"]?.array?.strings, !texts.isEmpty else {
      throw problem(file, "\(prefix)tokens is no list of texts; the model has no tokenizer")
    }
    guard let types = file.metadata[prefix + "token_type"] else {
      return texts.map { Entry(text: $0, kind: .normal) }
    }
    guard let numbers = types.array?.integers, numbers.count == texts.count else {
      throw problem(file, "\(prefix)token_type is no list of \(texts.count) integers")
    }
    return try zip(texts, numbers).map { text, number in
      guard let kind = Kind(rawValue: number) else {
        throw problem(file, "\(prefix)token_type: there is no type \(number) of tokens")
      }
      return Entry(text: text, kind: kind)
    }
  }

  private static func token(_ file: GGUFFile, _ key: String, _ count: Int) throws -> Token? {
    guard let value = file.metadata[prefix + key] else { return nil }
    guard let id = value.integer, (0..<count).contains(id), let token = Token(exactly: id) else {
      throw problem(file, "\(prefix)\(key) is no token of the \(count) that there are")
    }
    return token
  }

  private static func flag(_ file: GGUFFile, _ key: String, default standard: Bool) throws -> Bool {
    guard let value = file.metadata[prefix + key] else { return standard }
    guard let flag = value.flag else { throw problem(file, "\(prefix)\(key) is not true or false") }
    return flag
  }

  // MARK: Byte-level byte pairs

  /// How texts are cut, by the name of the pattern.
  private static func preTokenizer(_ file: GGUFFile) throws -> GGUFPreTokenizer {
    let name = file.metadata[prefix + "pre"]?.text
    guard let name, let found = GGUFPreTokenizer.named(name) else {
      throw problem(
        file,
        "the pre-tokenizer \(name.map(quoted) ?? "is missing, which") is not supported; use one of "
          + GGUFPreTokenizer.names.joined(separator: ", "))
    }
    return found
  }

  private static func bytePairs(
    _ file: GGUFFile, _ entries: [Entry], _ pre: GGUFPreTokenizer
  ) throws -> PieceTokenizer {
    guard let merges = file.metadata[prefix + "merges"]?.array?.strings else {
      throw problem(file, "\(prefix)merges is no list of texts; convert the model again")
    }
    var builder = try BytePairModelBuilder(
      pieces: entries.map {
        $0.kind == .normal || (pre.isSentencePiece && $0.kind == .byte) ? $0.text : nil
      },
      name: "\(file.url.path): \(prefix)tokens", isByteLevel: !pre.isSentencePiece)
    for merge in merges { try builder.addMerge(line: Array(merge.utf8)[...]) }
    let added = entries.enumerated().compactMap { id, entry -> AddedToken? in
      guard let id = Token(exactly: id) else { return nil }
      switch entry.kind {
      case .normal, .unused: return nil
      case .byte where pre.isSentencePiece: return nil
      case .control, .unknown, .byte:
        return AddedToken(id: id, content: entry.text, special: true)
      case .userDefined: return AddedToken(id: id, content: entry.text, special: false)
      }
    }
    var parts = PieceTokenizer.Parts(
      model: try builder.model(
        byteFallback: pre.isSentencePiece, wholeWords: pre.wholeWords),
      preTokenizer: PreTokenizer(steps: try pre.steps(file: file.url.path)))
    if pre.composes { parts.normalizer.steps = [.form(.nfc)] }
    if pre.isSentencePiece {
      parts.normalizer.steps = [.replace([UInt8(ascii: " ")], with: PreTokenizer.metaspace)]
      parts.decoder = .sentencePiece
    }
    parts.added = try AddedTokens(added, normalizer: parts.normalizer)
    if try flag(file, "add_space_prefix", default: false) {
      let space = pre.isSentencePiece ? PreTokenizer.metaspace : [UInt8(ascii: " ")]
      parts.preTokenizer.steps.insert(.prefix(space, .always), at: 0)
    }
    parts.beginToken = try token(file, "bos_token_id", entries.count)
    let end = try token(file, "eos_token_id", entries.count)
    parts.endTokens = end.map { [$0] } ?? []
    if try flag(file, "add_bos_token", default: pre.addsBegin), let begin = parts.beginToken {
      parts.prefix = [begin]
    }
    if try flag(file, "add_eos_token", default: false), let end { parts.suffix = [end] }
    return PieceTokenizer(parts)
  }

  // MARK: SentencePiece

  private static func sentencePiece(
    _ file: GGUFFile, _ entries: [Entry], _ kind: SentencePieceModelWriter.Kind
  ) throws -> SentencePieceTokenizer {
    try SentencePieceTokenizer(
      model: try sentencePieceModel(file, entries, kind),
      name: "\(file.url.path): \(prefix)tokens",
      addsBegin: try flag(file, "add_bos_token", default: kind == .bytePairs),
      addsEnd: try flag(file, "add_eos_token", default: kind == .unigram))
  }

  /// The model file of a tokenizer of SentencePiece's.
  static func sentencePieceModel(_ file: GGUFFile) throws -> Data {
    let isUnigram = file.metadata[prefix + "model"]?.text == "t5"
    return try sentencePieceModel(file, entries(file), isUnigram ? .unigram : .bytePairs)
  }

  private static func sentencePieceModel(
    _ file: GGUFFile, _ entries: [Entry], _ kind: SentencePieceModelWriter.Kind
  ) throws -> Data {
    guard let scores = file.metadata[prefix + "scores"]?.array?.numbers,
      scores.count == entries.count
    else {
      throw problem(file, "\(prefix)scores is no list of \(entries.count) numbers")
    }
    var model = SentencePieceModelWriter()
    for (entry, score) in zip(entries, scores) {
      model.add(entry.text, score: Float(score), kind: entry.kind.rawValue)
    }
    func spelling(_ key: String) throws -> String? {
      try token(file, key, entries.count).map { entries[Int($0)].text }
    }
    return model.finished(
      kind, characterMap: try characterMap(file),
      unknown: try spelling("unknown_token_id"), begin: try spelling("bos_token_id"),
      end: try spelling("eos_token_id"),
      fallsBackToBytes: entries.contains { $0.kind == .byte },
      addsSpace: try flag(file, "add_space_prefix", default: true),
      removesSpaces: try flag(file, "remove_extra_whitespaces", default: kind == .unigram))
  }

  /// SentencePiece's map of characters, empty without one.
  private static func characterMap(_ file: GGUFFile) throws -> Data {
    guard let value = file.metadata[prefix + "precompiled_charsmap"] else { return Data() }
    let bytes = value.array?.integers?.compactMap {
      (-128...255).contains($0) ? UInt8(truncatingIfNeeded: $0) : nil
    }
    guard let bytes, bytes.count == value.array?.count else {
      throw problem(file, "\(prefix)precompiled_charsmap is no list of bytes")
    }
    return Data(bytes)
  }
}
