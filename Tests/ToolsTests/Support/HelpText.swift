import Testing

/// Expects a help text, word by word. Lines are joined before they are compared, since how they are
/// broken is up to the argument parser.
func expectHelp(
  _ arguments: [String], _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let result = try CommandProcess(arguments).wait()
  #expect(result.status == 0, sourceLocation: sourceLocation)
  #expect(result.errors == "", sourceLocation: sourceLocation)
  #expect(words(result.output) == words(text), sourceLocation: sourceLocation)
}

/// The words of a text with one space between.
func words(_ text: String) -> String {
  text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}
