/// Standard output as the generator's listener, which can't throw: the first failure is kept and
/// ends the generation.
final class TextSink {
  private(set) var failure: (any Error)?
  private var last: Character = "\n"

  /// Writes a piece of text, unless an earlier one failed.
  func write(_ text: String) {
    guard failure == nil, let end = text.last else { return }
    last = end
    do { try Output.write(text) } catch { failure = error }
  }

  /// Ends the line if text stands on it.
  ///
  /// - Throws: what went wrong when writing.
  func endLine() throws {
    if last != "\n" { write("\n") }
    if let failure { throw failure }
  }

  /// Whether there is no use in going on.
  var isDone: Bool { failure != nil || Interruption.requested }
}
