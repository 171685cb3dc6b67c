import Files
package import Foundation
package import Text

/// Units as bytes, for another process: a trace of one unit.
extension TraceUnit {
  package func transported(_ header: TraceHeader, tokenizer: any Tokenizer) throws -> Data {
    var encoder = UnitEncoder(tokenizer: tokenizer)
    return Data((try TraceLines.header(header) + encoder.text(self)).utf8)
  }

  /// Reads what ``transported(_:tokenizer:)`` made; values have the figures that a trace's have.
  package init(transported data: Data) throws {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "speculate-unit-\(UUID().uuidString).jsonl")
    defer { try? FileManager.default.removeItem(at: file) }
    try AtomicFile.write(data, to: file)
    guard let unit = try Trace.read(file).units.first else {
      throw SpeculateError("a rank sent a trace without a task; start the same command again")
    }
    self = unit
  }
}
