import Files
import Foundation

extension GGUFTokenizerWriter {
  /// Byte pairs of characters, as of Llama 2, where `tokenizer.json` alone is there: the order of merges
  /// says what the scores were.
  func characterPairs(
    _ parts: PieceTokenizer.Parts, _ model: BytePairModel
  ) throws -> [(key: String, value: GGUFValue)] {
    guard model.symbols == .scalars(byteFallback: true), model.wholeWords == .none else {
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

  /// The keys of a tokenizer whose SentencePiece model is there.
  func sentencePieces(
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
}
