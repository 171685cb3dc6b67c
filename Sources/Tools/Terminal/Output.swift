import Files
import Foundation

/// Standard output and standard error as byte streams whose failures are errors, not traps.
enum Output {
  /// Writes text to standard output at once, so that a stream of tokens is seen as it grows.
  ///
  /// - Throws: `SpeculateError` when it can't be written, for example because a disk is full.
  static func write(_ text: String) throws {
    try write(text, to: STDOUT_FILENO, called: "standard output")
  }

  static func line(_ text: String = "") throws { try write(text + "\n") }

  /// Writes lines to standard error, with nothing in them that acts on the terminal; what can't be
  /// written there has nowhere else to go.
  static func note(_ lines: String) { control(printableLines(lines)) }

  /// Writes to standard error on whatever rank.
  static func report(_ lines: String) {
    try? write(printableLines(lines), to: STDERR_FILENO, called: "standard error")
  }

  private static func printableLines(_ lines: String) -> String {
    lines.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }
      .joined(separator: "\n")
  }

  /// Writes to standard error what may act on the terminal. Of several ranks the first one talks.
  static func control(_ text: String) {
    if Ranks.isSilent { return }
    try? write(text, to: STDERR_FILENO, called: "standard error")
  }

  /// Says what loading or a generation showed, a line each, on standard error.
  static func notices(_ notices: [Notice]) {
    for notice in notices { note("note: \(SettingFlags.naming(notice.description))\n") }
  }

  /// Writes a value as one line of JSON to standard output.
  static func json(_ value: some Encodable) throws { try line(encoded(value)) }

  /// A value as one line of JSON, its names in snake_case and sorted.
  static func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// How many characters a line of the terminal behind standard error holds.
  static func terminalWidth() -> Int {
    var size = winsize()
    let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) - 1 : 79
  }

  private static func write(_ text: String, to file: Int32, called name: String) throws {
    var text = text
    try text.withUTF8 { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Foundation.write(
          file, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else {
          throw SpeculateError("can't write to \(name): \(String(cString: strerror(errno)))")
        }
        rest = rest.dropFirst(count)
      }
    }
  }
}
