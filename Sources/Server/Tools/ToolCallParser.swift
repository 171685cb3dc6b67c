/// Takes an answer's text as it comes and tells apart what is said and what is called.
///
/// Text that may be the beginning of a call is held back until it is known. What turns out to be no call is
/// text after all.
package struct ToolCallParser: Sendable {
  /// What came out of a piece of text.
  package struct Output: Equatable {
    package var text = ""
    package var calls: [ToolCall] = []
  }

  private let syntax: ToolSyntax
  /// Text that was not given out yet.
  private var held = ""
  /// The opening that ``held`` begins with.
  private var opening: String?
  /// Whether something was said already: then an object is no call of `llama`.
  private var hasSpoken = false
  private(set) var hasCalled = false

  package init(_ syntax: ToolSyntax) { self.syntax = syntax }

  package mutating func append(_ text: String) -> Output {
    held += text
    var output = Output()
    while step(&output, isEnd: false) {}
    return output
  }

  /// Ends the answer.
  package mutating func finish() -> Output {
    var output = Output()
    while step(&output, isEnd: true) {}
    say(held, &output)
    held = ""
    return output
  }

  /// Takes one part off the held text; false if there is none to take.
  private mutating func step(_ output: inout Output, isEnd: Bool) -> Bool {
    guard !held.isEmpty else { return false }
    if let opening { return close(opening, &output, isEnd: isEnd) }
    let places = openings.compactMap { opening -> (Range<String.Index>, String)? in
      held.firstRange(of: opening).map { ($0, opening) }
    }
    if let (range, opening) = places.min(by: { $0.0.lowerBound < $1.0.lowerBound }) {
      say(String(held[..<range.lowerBound]), &output)
      held = String(held[range.lowerBound...])
      // What was said just now may have made an object ordinary text.
      if openings.contains(opening) { self.opening = opening }
      return true
    }
    let kept = isEnd ? 0 : longestBeginning()
    let said = String(decoding: held.utf8.dropLast(kept), as: UTF8.self)
    held = String(decoding: held.utf8.suffix(kept), as: UTF8.self)
    say(said, &output)
    return false
  }

  private mutating func close(_ opening: String, _ output: inout Output, isEnd: Bool) -> Bool {
    let body: Substring
    var rest = ""
    if let closing = syntax.closing, let range = held.firstRange(of: closing) {
      body = held[..<range.lowerBound]
      rest = String(held[range.upperBound...])
    } else if isEnd {
      body = held[...]
    } else {
      return false
    }
    self.opening = nil
    let inner = opening == "{" ? body : body.dropFirst(opening.count)
    if let calls = syntax.calls(in: String(inner)) {
      output.calls += calls
      hasCalled = true
      // Blanks between calls are no text.
      held = String(rest.drop { $0.isWhitespace })
    } else {
      let whole = String(held.dropLast(rest.count))
      held = rest
      say(whole, &output)
    }
    return true
  }

  /// The openings that count here.
  private var openings: [String] {
    syntax.openings.filter { $0 != "{" || !hasSpoken && !hasCalled }
  }

  private mutating func say(_ text: String, _ output: inout Output) {
    guard !text.isEmpty else { return }
    if hasCalled && text.allSatisfy(\.isWhitespace) { return }
    if !text.allSatisfy(\.isWhitespace) { hasSpoken = true }
    output.text += text
  }

  /// The bytes at the end of the held text with which an opening begins.
  private func longestBeginning() -> Int {
    let bytes = Array(held.utf8)
    return openings.reduce(0) { longest, opening in
      let opening = Array(opening.utf8)
      let lengths = (1..<max(opening.count, 2)).filter {
        $0 < opening.count && $0 <= bytes.count
          && bytes.suffix($0).elementsEqual(opening.prefix($0))
      }
      return max(longest, lengths.max() ?? 0)
    }
  }
}
