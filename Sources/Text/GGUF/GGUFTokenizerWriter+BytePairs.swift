import Files

extension GGUFTokenizerWriter {
  /// The keys of a byte-level tokenizer.
  func bytePairs(
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

  func entry(
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
        of: steps, composes: composes, wholeWords: model.wholeWords)
    else {
      throw problem("GGUF files have no name for the way in which this tokenizer cuts texts")
    }
    return name
  }

  /// Whether begin and end tokens are added.
  func additions(
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
}
