package import Files
package import Foundation
package import Text

/// Writes a trace, unit by unit.
///
/// A unit is a task with all its generations. While the work goes on, the trace stands uncompressed
/// under another name, so that what is complete survives whatever happens; ``finish()`` gives it its own
/// name, compressed if that ends with `.zst`.
package final class TraceWriter {
  package let url: URL
  /// Its name until then.
  package let partial: URL
  private let claim: OutputClaim
  private let file: FileHandle
  private var encoder: UnitEncoder

  /// The name that a trace has while it is written by something that can go on with it.
  package static func partial(of url: URL) -> URL { URL(filePath: url.path + ".part") }

  /// Starts a trace, or goes on with one.
  ///
  /// - Parameters:
  ///   - url: `.jsonl` or `.jsonl.zst`.
  ///   - tokenizer: spells tokens.
  ///   - units: what is there already, and comes first; nil for a writer that never goes on, and so has
  ///     nothing to do with what another one left.
  ///   - claim: of the same place, if whoever writes had to have it earlier.
  /// - Throws: `SpeculateError` when the file exists or can't be written.
  package init(
    url: URL, header: TraceHeader, tokenizer: any Tokenizer, resuming units: [TraceUnit]? = nil,
    claim: OutputClaim? = nil
  ) throws {
    try Self.checkName(url)
    self.claim = try claim ?? Self.claim(url)
    self.url = url
    partial = units == nil ? URL(filePath: url.path + ".unfinished") : Self.partial(of: url)
    encoder = UnitEncoder(tokenizer: tokenizer)
    var text = try TraceLines.header(header)
    for unit in units ?? [] { text += encoder.text(unit) }
    // Replaced whole, so that nothing that was measured can be lost on the way.
    try AtomicFile.write(Data(text.utf8), to: partial)
    do {
      file = try FileHandle(forWritingTo: partial)
      try file.seekToEnd()
    } catch {
      throw SpeculateError("\(partial.path): can't be written; check the folder's permissions")
    }
  }

  /// Claims a trace's place, before what stands there is read.
  ///
  /// - Throws: `SpeculateError` when another process is writing it.
  package static func claim(_ url: URL) throws -> OutputClaim {
    do {
      return try OutputClaim(file: url)
    } catch let error as SpeculateError {
      throw SpeculateError(error.description.replacing("‘output’", with: "‘trace’"))
    }
  }

  /// Checks a trace's name before any work is done.
  ///
  /// - Throws: `SpeculateError` when the ending is another, or the file exists.
  package static func checkName(_ url: URL) throws {
    guard url.path.hasSuffix(".jsonl") || url.path.hasSuffix(".jsonl.zst") else {
      throw SpeculateError("\(url.path): a trace's name ends with .jsonl or .jsonl.zst; change it")
    }
    guard !FileManager.default.fileExists(atPath: url.path) else {
      throw SpeculateError("\(url.path) exists already; remove it, or write to another file")
    }
  }

  /// Writes a unit.
  ///
  /// - Throws: `SpeculateError` when it can't be written.
  package func write(_ unit: TraceUnit) throws {
    do {
      try file.write(contentsOf: Data(encoder.text(unit).utf8))
    } catch {
      throw SpeculateError("\(partial.path): can't be written; make room on the disk")
    }
  }

  /// Gives the file its name.
  ///
  /// - Throws: `SpeculateError` when it can't be written.
  package func finish() throws {
    try? file.close()
    do {
      let data = try Data(contentsOf: partial)
      let whole =
        url.path.hasSuffix(".zst") ? Data(try data.withUnsafeBytes { try Zstd.compress($0) }) : data
      try AtomicFile.write(whole, to: url)
      try FileManager.default.removeItem(at: partial)
    } catch let error as CocoaError {
      throw SpeculateError("\(url.path): can't be written: \(systemReason(error))")
    }
  }
}

/// Turns units into lines and spells each token before the first line that names it.
struct UnitEncoder {
  let tokenizer: any Tokenizer
  private var known: Set<Token> = []

  init(tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

  mutating func text(_ unit: TraceUnit) -> String {
    var text = spell(unit.tokens)
    for prompt in unit.prompts { text += TraceLines.prompt(prompt) }
    for entry in unit.entries { text += TraceLines.generation(entry) }
    return text + TraceLines.unitEnd
  }

  private mutating func spell(_ tokens: Set<Token>) -> String {
    let new = tokens.subtracting(known).sorted()
    guard !new.isEmpty else { return "" }
    known.formUnion(new)
    return TraceLines.texts(new.map { ($0, spelling(of: $0)) })
  }

  /// A token's text; bytes that are no text of their own as SentencePiece spells them, `<0xE2>`.
  private func spelling(of token: Token) -> String {
    let bytes = tokenizer.bytes(of: token)
    if bytes.isEmpty { return "<\(token)>" }
    return String(validating: bytes, as: UTF8.self)
      ?? bytes.map { String(format: "<0x%02X>", $0) }.joined()
  }
}
