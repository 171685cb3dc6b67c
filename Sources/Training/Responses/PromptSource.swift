public import Foundation
public import Tensors
public import Verifier

/// Prompts cut out of documents: prompt `n` is a function of the seed and `n` alone.
///
/// Half of the prompts begin where their document does, the others at a random line; how long a
/// prompt is, is random too. All documents are visited in a shuffled order, again and again.
public struct PromptSource: Sendable {
  /// Where the text comes from.
  private enum Documents: Sendable {
    case texts([TextDocuments.Document], any Tokenizer)
    case tokens(TokenStream, [Range<Int>], lineEnd: Token?)
  }

  private let documents: Documents
  private let lengths: ClosedRange<Int>
  private let seed: UInt64
  private let order: [Int32]

  /// The number of documents.
  public var documentCount: Int { order.count }

  /// Prompts cut out of text or of the field `text` of JSON lines, plain or `.zst`. Where lines have
  /// a field `prompt` instead, each is a prompt from its beginning.
  ///
  /// - Parameters:
  ///   - lengths: Tokens of a prompt; one is shorter only when its document is.
  /// - Throws: When the file can't be read or a line is no such object.
  public init(
    documents url: URL, tokenizer: any Tokenizer, lengths: ClosedRange<Int>, seed: UInt64
  ) throws {
    let documents = try TextDocuments(url)
    var texts: [TextDocuments.Document] = []
    while let document = try documents.next() {
      if !document.text.allSatisfy(\.isWhitespace) { texts.append(document) }
    }
    guard !texts.isEmpty else {
      throw SpeculateError("\(url.path) holds no text; give a file with documents")
    }
    self.init(.texts(texts, tokenizer), count: texts.count, lengths: lengths, seed: seed)
  }

  /// Prompts from a token stream whose documents are joined by an end token.
  ///
  /// - Parameter lineEnd: The token after which a line begins; nil where there is none of its own.
  public init(
    tokens: TokenStream, endTokens: Set<Token>, lineEnd: Token?, lengths: ClosedRange<Int>,
    seed: UInt64
  ) throws {
    var all = [Token](repeating: 0, count: tokens.count)
    all.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { tokens.copy(0, count: tokens.count, to: base) }
    }
    var ranges: [Range<Int>] = []
    var start = 0
    for index in 0...all.count where index == all.count || endTokens.contains(all[index]) {
      if index > start { ranges.append(start..<index) }
      start = index + 1
    }
    guard !ranges.isEmpty else { throw SpeculateError("the tokens hold no document") }
    self.init(
      .tokens(tokens, ranges, lineEnd: lineEnd), count: ranges.count, lengths: lengths, seed: seed)
  }

  private init(_ documents: Documents, count: Int, lengths: ClosedRange<Int>, seed: UInt64) {
    self.documents = documents
    self.lengths = lengths
    self.seed = seed
    var random = KeyedRandom(seed: seed, key: "documents")
    order = (0..<Int32(count)).shuffled(using: &random)
  }

  /// The document that prompt `number` is from, counted without empty ones.
  func document(ofPrompt number: Int) -> Int { Int(order[number % order.count]) }

  /// Prompt `number`: at least one token.
  public func prompt(_ number: Int) -> [Token] {
    var random = KeyedRandom(seed: seed, key: "prompt \(number)")
    let document = document(ofPrompt: number)
    let length = lengths.lowerBound + Int(random.next() % UInt64(lengths.count))
    let fromStart = random.next() % 2 == 0
    let place = random.uniform()
    switch documents {
    case .texts(let texts, let tokenizer):
      let (text, isPrompt) = (texts[document].text, texts[document].isPrompt)
      return Self.cut(
        text, tokenizer, isPrompt ? lengths.upperBound : length,
        fromStart || isPrompt ? nil : place)
    case .tokens(let stream, let ranges, let lineEnd):
      return Self.cut(stream, ranges[document], lineEnd, length, fromStart ? nil : place)
    }
  }

  /// The first tokens from a line on; a share of the text is left behind at the end.
  private static func cut(
    _ text: String, _ tokenizer: any Tokenizer, _ length: Int, _ place: Double?
  ) -> [Token] {
    let bytes = Array(text.utf8)
    var start = 0
    if let place {
      let wanted = Int(Double(bytes.count) * 0.8 * place)
      // The beginning of the line that the place lies in.
      start = bytes[..<wanted].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }
    // Far more text than the prompt needs, so that where it is cut has no influence.
    let end = min(bytes.count, start + 32 * length)
    let piece = String(decoding: bytes[start..<end], as: UTF8.self)
    let ids = tokenizer.encode(piece, addSpecial: true, parseSpecial: false)
    return Array(ids.prefix(length))
  }

  private static func cut(
    _ stream: TokenStream, _ range: Range<Int>, _ lineEnd: Token?, _ length: Int, _ place: Double?
  ) -> [Token] {
    var tokens = [Token](repeating: 0, count: range.count)
    tokens.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress {
        stream.copy(range.lowerBound, count: range.count, to: base)
      }
    }
    var start = 0
    if let place, let lineEnd {
      let wanted = Int(Double(tokens.count) * 0.8 * place)
      start = tokens[..<wanted].lastIndex(of: lineEnd).map { $0 + 1 } ?? 0
    }
    return Array(tokens[start...].prefix(length))
  }
}
