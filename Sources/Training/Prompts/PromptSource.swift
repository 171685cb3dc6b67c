package import Files
package import Foundation
package import Text

/// Prompts cut out of documents: prompt `n` is a function of the seed and `n` alone.
///
/// Half of the prompts begin where their document does, the others at a random line; how long a
/// prompt is, is random too. All documents are visited in a shuffled order, again and again.
package struct PromptSource: Sendable {
  private enum Documents: Sendable {
    case texts([Text], ChatEncoder)
    case tokens(TokenStream, [Range<Int>], lineEnd: Token?)
  }

  private enum Text: Sendable {
    case document(String)
    case prompt(String)
    /// A conversation's tokens.
    case chat([Token])
  }

  private let documents: Documents
  private let lengths: ClosedRange<Int>
  private let seed: UInt64
  private let order: [Int32]
  /// The number of chats that are longer than prompts may be, and left out.
  package private(set) var tooLongChats = 0
  /// A fingerprint of the chats' tokens; nil where there are no chats.
  private(set) var chatFingerprint: UInt64?

  /// Prompts cut out of text or of the field `text` of JSON lines, plain or `.zst`. Where lines have
  /// a field `prompt` instead, each is a prompt from its beginning; where they have `messages` or
  /// `turns`, a chat up to the assistant's last answer, written by the model's chat template. Chats
  /// that are longer than `lengths` are left out. Spellings of special tokens are text in documents, and what
  /// the encoder's settings say in prompts and chats.
  ///
  /// - Parameters:
  ///   - lengths: Tokens of a prompt; one is shorter only when its document is.
  package init(
    documents url: URL, encoder: ChatEncoder, lengths: ClosedRange<Int>, seed: UInt64
  ) throws {
    let documents = try TextDocuments(url)
    var texts: [Text] = []
    var fingerprint: UInt64?
    var (tooLong, shortest) = (0, Int.max)
    while let document = try documents.next() {
      switch document {
      case .text(let text):
        if !text.allSatisfy(\.isWhitespace) { texts.append(.document(text)) }
      case .prompt(let text):
        if !text.allSatisfy(\.isWhitespace) { texts.append(.prompt(text)) }
      case .chat(let conversation):
        let ids = try Self.ids(conversation, encoder, documents.place)
        let own = ids.withUnsafeBytes { FileFingerprint.of(bytes: $0) }
        fingerprint = (fingerprint ?? 0) &* 31 &+ own
        shortest = min(shortest, ids.count)
        if ids.count > lengths.upperBound { tooLong += 1 } else { texts.append(.chat(ids)) }
      }
    }
    guard !texts.isEmpty else {
      throw SpeculateError(
        tooLong == 0
          ? "\(url.path) holds no text; give a file with documents"
          : "the shortest chat of \(url.path) has \(shortest) tokens, but a prompt at most "
            + "\(lengths.upperBound); give a greater ‘longest prompt’")
    }
    self.init(.texts(texts, encoder), count: texts.count, lengths: lengths, seed: seed)
    tooLongChats = tooLong
    chatFingerprint = fingerprint
  }

  private static func ids(
    _ conversation: Conversation, _ encoder: ChatEncoder, _ place: String
  ) throws -> [Token] {
    do {
      return try encoder.encode(conversation, now: ChatEncoder.fixedTime).ids
    } catch let error as SpeculateError {
      throw SpeculateError("\(place): \(error.description)")
    }
  }

  /// Prompts from a token stream whose documents are joined by an end token.
  ///
  /// - Parameter lineEnd: The token after which a line begins; nil where there is none of its own.
  package init(
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
  ///
  /// - Throws: `SpeculateError` when the tokenizer can't encode the document.
  package func prompt(_ number: Int) throws -> [Token] {
    var random = KeyedRandom(seed: seed, key: "prompt \(number)")
    let document = document(ofPrompt: number)
    let length = lengths.lowerBound + Int(random.next() % UInt64(lengths.count))
    let fromStart = random.next() % 2 == 0
    let place = random.uniform()
    switch documents {
    case .texts(let texts, let encoder):
      switch texts[document] {
      case .document(let text):
        return try Self.cut(text, encoder.tokenizer, length, fromStart ? nil : place)
      case .prompt(let text):
        return try Self.cut(
          text, encoder.tokenizer, lengths.upperBound, nil, parsesSpecial: encoder.parsesSpecial)
      case .chat(let ids): return ids
      }
    case .tokens(let stream, let ranges, let lineEnd):
      return Self.cut(stream, ranges[document], lineEnd, length, fromStart ? nil : place)
    }
  }

  /// The first tokens from a line on; a share of the text is left behind at the end.
  private static func cut(
    _ text: String, _ tokenizer: any Tokenizer, _ length: Int, _ place: Double?,
    parsesSpecial: Bool = false
  ) throws -> [Token] {
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
    let ids = try tokenizer.encode(piece, addSpecial: true, parseSpecial: parsesSpecial)
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
