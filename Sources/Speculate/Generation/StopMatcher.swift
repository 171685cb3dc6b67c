/// Finds stop strings in text that arrives in pieces.
///
/// Text that may be the beginning of a stop string is held back until it is known, so that nothing
/// given out has to be taken back. The stop string that is complete first wins, so that the result
/// does not depend on how the text was cut. Texts are compared byte by byte, without Unicode
/// normalisation.
package struct StopMatcher {
  private let stops: [[UInt8]]
  /// Text not given out yet: a proper prefix of a stop string, or empty.
  private var held: [UInt8] = []
  /// Whether a stop string was found. Later text is dropped.
  package private(set) var hasStopped = false

  /// Makes a matcher of stop strings, none of them empty.
  package init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

  package mutating func append(_ text: String) -> String {
    guard !hasStopped else { return "" }
    guard !stops.isEmpty else { return text }
    held.append(contentsOf: text.utf8)
    if let start = earliestMatch() {
      hasStopped = true
      defer { held.removeAll() }
      return String(decoding: held[..<start], as: UTF8.self)
    }
    let safe = held.count - longestBeginning()
    defer { held.removeFirst(safe) }
    return String(decoding: held[..<safe], as: UTF8.self)
  }

  /// Ends the text and returns what was held back in vain.
  package mutating func finish() -> String {
    defer { held.removeAll() }
    return String(decoding: held, as: UTF8.self)
  }

  /// Where the stop string begins that is complete first; of several, the longest.
  private func earliestMatch() -> Int? {
    for end in 0..<held.count {
      let starts = stops.compactMap { stop in
        held[...end].suffix(stop.count).elementsEqual(stop) ? end + 1 - stop.count : nil
      }
      if let start = starts.min() { return start }
    }
    return nil
  }

  /// The length of the longest end of `held` with which a stop string begins.
  private func longestBeginning() -> Int {
    let start = held.indices.first { start in stops.contains { $0.starts(with: held[start...]) } }
    return start.map { held.count - $0 } ?? 0
  }
}
