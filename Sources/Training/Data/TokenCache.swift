import Files
package import Foundation
import Text

/// A token stream made from documents once and kept, so that a resumed run need not make it again.
///
/// Every document is followed by the tokenizer's end token; nothing else is added. Beside the
/// tokens lies a note of what they were made from: other documents or another tokenizer make them
/// anew.
package struct TokenCache: Sendable {
  /// The tokens: a file that ``TokenStream`` reads.
  package let url: URL

  private let folder: URL
  private let noteURL: URL

  private struct Note: Codable, Equatable {
    var documents: UInt64
    var tokenizer: UInt64
    var tokens: UInt64
  }

  /// A token is stored in 16 bits.
  private static let largestVocabulary = 1 << 16
  private static let bufferedTokens = 1 << 16

  /// Names the files in a folder; touches nothing.
  package init(_ name: String, in folder: URL) {
    self.folder = folder
    url = folder.appendingPathComponent("\(name).tokens.u16")
    noteURL = folder.appendingPathComponent("\(name).tokens.json")
  }

  /// Makes the tokens, unless they are there already.
  ///
  /// - Parameters:
  ///   - documents: Text, or JSON lines with a field `text`, plain or `.zst`.
  ///   - tokenizer: A SentencePiece model of at most 65,536 tokens.
  ///   - shouldStop: Asked before every document; a stop leaves no part of a file behind.
  ///   - progress: Told after every document how many there were, and their tokens.
  /// - Returns: Whether the tokens are there; false when it was stopped.
  package func update(
    documents: URL, tokenizer: URL, shouldStop: () -> Bool,
    progress: (_ documents: Int, _ tokens: Int) -> Void
  ) throws -> Bool {
    let reader = try TextDocuments(documents)
    let encoder = try SentencePieceTokenizer(file: tokenizer)
    guard encoder.vocabularySize <= Self.largestVocabulary else {
      throw SpeculateError(
        "\(tokenizer.path) has \(encoder.vocabularySize) tokens, but training stores them in 16 "
          + "bits: give a tokenizer of at most \(Self.largestVocabulary)")
    }
    guard let end = encoder.endTokens.first else {
      throw SpeculateError(
        "\(tokenizer.path) has no end token to put between documents: give a tokenizer with one")
    }
    var note = Note(
      documents: try FileFingerprint.of(documents), tokenizer: try FileFingerprint.of(tokenizer),
      tokens: (try? FileFingerprint.of(url)) ?? 0)
    if let stored = try? JSONDecoder().decode(Note.self, from: Data(contentsOf: noteURL)),
      stored == note
    {
      return true
    }
    try OutputFolder.make(folder)
    guard
      try write(
        reader, encoder, end: UInt16(truncatingIfNeeded: end), source: documents,
        shouldStop: shouldStop, progress: progress)
    else { return false }
    // The note comes last: without it, or with an older one, the tokens are made again.
    note.tokens = try FileFingerprint.of(url)
    let notes = JSONEncoder()
    notes.outputFormatting = [.sortedKeys]
    try AtomicFile.write(try notes.encode(note), to: noteURL)
    return true
  }

  private func text(_ document: TextDocuments.Document, at place: String) throws -> String {
    switch document {
    case .text(let text), .prompt(let text): return text
    case .chat:
      throw SpeculateError(
        "\(place) is a chat, which has no text without a model's template; give documents")
    }
  }

  private func write(
    _ reader: TextDocuments, _ tokenizer: SentencePieceTokenizer, end: UInt16, source: URL,
    shouldStop: () -> Bool, progress: (_ documents: Int, _ tokens: Int) -> Void
  ) throws -> Bool {
    let writer = try AtomicFileWriter(url: url)
    var buffer: [UInt16] = []
    buffer.reserveCapacity(2 * Self.bufferedTokens)
    var (documents, tokens) = (0, 0)
    while let document = try reader.next() {
      if shouldStop() { return false }
      let ids = try tokenizer.encode(try text(document, at: reader.place), addSpecial: false)
      for id in ids { buffer.append(UInt16(truncatingIfNeeded: id).littleEndian) }
      buffer.append(end.littleEndian)
      documents += 1
      tokens += ids.count + 1
      if buffer.count >= Self.bufferedTokens {
        try buffer.withUnsafeBytes { try writer.write($0) }
        buffer.removeAll(keepingCapacity: true)
      }
      progress(documents, tokens)
    }
    guard tokens > documents else {
      throw SpeculateError("\(source.path) holds no text; give a file with documents")
    }
    try buffer.withUnsafeBytes { try writer.write($0) }
    try writer.commit()
    return true
  }
}
