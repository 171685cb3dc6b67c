import Speculate
import TestSupport
import Testing

@Suite struct StopMatcherTests {
  /// Feeds pieces and returns what was given out after each, then at the end.
  static func feed(_ stops: [String], _ pieces: [String]) -> (given: [String], stopped: Bool) {
    var matcher = StopMatcher(stops)
    var given = pieces.map { matcher.append($0) }
    given.append(matcher.finish())
    return (given, matcher.hasStopped)
  }

  @Test func textIsHeldBackWhileAStopStringMayForm() {
    #expect(Self.feed(["END"], ["aE", "N", "x"]).given == ["a", "", "ENx", ""])
    #expect(Self.feed(["END"], ["aE", "N"]).given == ["a", "", "EN"])
    let found = Self.feed(["END"], ["aE", "ND!", "more"])
    #expect(found.given == ["a", "", "", ""] && found.stopped)
    #expect(Self.feed([], ["a", "b"]).given == ["a", "b", ""])
  }

  @Test func theFirstStopStringWins() {
    #expect(Self.feed(["bc", "abcd"], ["xabc", "d"]).given == ["xa", "", ""])
    #expect(Self.feed(["b", "ab"], ["xab"]).given == ["x", ""])
    #expect(Self.feed(["aab"], ["aaa", "ab"]).given == ["a", "a", ""])
  }

  @Test func charactersStayWhole() {
    #expect(Self.feed(["é!"], ["né", "e", "é!"]).given == ["n", "ée", "", ""])
  }

  /// Any cut of a text into pieces gives the same output, that of a search in the whole text.
  @Test func cutsDoNotMatter() {
    var random = RandomNumbers(seed: 6)
    for _ in 0..<500 {
      let text = String((0..<30).map { _ in "abé".randomElement(using: &random)! })
      let stops = (0..<2).map { _ in
        String(
          (0..<Int.random(in: 1...5, using: &random)).map { _ in
            "abé".randomElement(using: &random)!
          })
      }
      var pieces: [String] = []
      var rest = Substring(text)
      while !rest.isEmpty {
        let length = Int.random(in: 1...6, using: &random)
        pieces.append(String(rest.prefix(length)))
        rest = rest.dropFirst(length)
      }
      let (given, stopped) = Self.feed(stops, pieces)
      let bytes = Array(text.utf8)
      let first = bytes.indices.first { end in
        stops.contains { bytes[...end].suffix($0.utf8.count).elementsEqual($0.utf8) }
      }
      #expect(stopped == (first != nil))
      let length = first.map { end in
        stops.filter { bytes[...end].suffix($0.utf8.count).elementsEqual($0.utf8) }
          .map { end + 1 - $0.utf8.count }.min()!
      }
      #expect(Array(given.joined().utf8) == Array(bytes[..<(length ?? bytes.count)]))
    }
  }
}
