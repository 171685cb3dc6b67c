import Files

extension TokenTrie {
  /// The tokens with which a text goes on, as the tokenizer spells it by itself.
  ///
  /// Of bytes that are no text, and where the tokenizer adds something, the longest tokens that fit are taken.
  /// The result may spell less than all of it.
  func spelling(of text: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var rest = text[...]
    while let first = rest.first {
      let end: Int
      if first == GrammarMark.opening {
        end = rest.firstIndex(of: GrammarMark.closing).map { $0 + 1 } ?? rest.endIndex
        let spelling = String(
          decoding: rest[rest.startIndex..<end].dropFirst().dropLast(), as: UTF8.self)
        guard let mark = tokenizer.id(of: spelling), tokenizer.isSpecial(mark) else {
          return tokens
        }
        tokens.append(mark)
      } else {
        end = rest.firstIndex(of: GrammarMark.opening) ?? rest.endIndex
        let part = rest[rest.startIndex..<end]
        let own = tokenizerSpelling(of: part) ?? longestSpelling(of: part)
        tokens += own
        guard own.reduce(0, { $0 + bytes(of: $1).count }) == part.count else { return tokens }
      }
      rest = rest[end...]
    }
    return tokens
  }

  /// As the tokenizer spells it; `nil` if that isn't this text to the byte.
  private func tokenizerSpelling(of text: ArraySlice<UInt8>) -> [Token]? {
    guard let string = String(validating: text, as: UTF8.self) else { return nil }
    if let tokens = try? tokenizer.encode(string, addSpecial: false),
      spells(tokens[...], text)
    {
      return tokens
    }
    // Some put a space in front of a text, but not of its later lines.
    let line = Array("\n".utf8)[...]
    guard let tokens = try? tokenizer.encode("\n" + string, addSpecial: false) else { return nil }
    for count in 1...max(1, tokens.count) where tokens.count >= count {
      let head = tokens[..<count].flatMap { bytes(of: $0) }
      if head.last == line.first {
        return spells(tokens[count...], text) ? Array(tokens[count...]) : nil
      }
    }
    return nil
  }

  private func spells(_ tokens: ArraySlice<Token>, _ text: ArraySlice<UInt8>) -> Bool {
    tokens.lazy.flatMap { self.bytes(of: $0) }.elementsEqual(text)
  }

  private func longestSpelling(of text: ArraySlice<UInt8>) -> [Token] {
    var tokens: [Token] = []
    var rest = text
    while let token = longestToken(of: rest) {
      tokens.append(token)
      rest = rest.dropFirst(bytes(of: token).count)
    }
    return tokens
  }
}
