import Files
import Speculate
import TestSupport
import Testing

@Suite struct SuffixIndexTests {
  private func index(_ text: String) -> SuffixIndex {
    var index = SuffixIndex()
    index.append(text.utf8.map { Token($0) })
    return index
  }

  private func continuations(_ text: String, _ count: Int, matches: Int = 1) -> [String] {
    let index = index(text)
    return index.matches(matches).map {
      String(decoding: index.continuation(of: $0, count: count).map { UInt8($0) }, as: UTF8.self)
    }
  }

  @Test func whatFollowedIsFound() {
    #expect(continuations("let count = 1; let cou", 5) == ["nt = "])
    #expect(index("let count = 1; let cou").matches(1).first?.length == 7)
    #expect(continuations("abcdef", 3).isEmpty)
    #expect(continuations("ab", 3).isEmpty && continuations("", 3).isEmpty)
    // Two tokens are too few.
    #expect(continuations("abX Yab", 2).isEmpty)
  }

  @Test func theLongestMatchWinsAndThenTheLatest() {
    #expect(continuations("xabcP abcQ xabc", 1) == ["P"])
    #expect(continuations("abcP abcQ zabc", 1) == ["Q"])
    #expect(continuations("abcP abcQ zabcP abcR zzabc", 1, matches: 5) == ["P", "R", "Q"])
  }

  @Test func aPeriodGoesOn() {
    #expect(continuations("abcabcabc", 7) == ["abcabca"])
    #expect(continuations("zaaaa", 4) == ["aaaa"])
  }

  @Test func tokensAheadAreTheEndOfTheText() {
    let index = index("one two three; one t")
    let ahead = "hree".utf8.map { Token($0) }
    let match = index.matches(1, ahead: ahead)
    #expect(match.map { $0.length } == [6])
    #expect(match.map { index.continuation(of: $0, count: 3) } == ["; o".utf8.map { Token($0) }])
  }

  /// Against a search of all places, on texts of few tokens, appended in pieces.
  @Test func matchesAreThoseOfAFullSearch() {
    var random = RandomNumbers(seed: 5)
    for alphabet in [2, 4, 30] {
      var index = SuffixIndex()
      var text: [Token] = []
      for _ in 0..<60 {
        let piece = (0..<Int.random(in: 1...4, using: &random)).map { _ in
          Token.random(in: 0..<Token(alphabet), using: &random)
        }
        index.append(piece)
        text += piece
        #expect(index.text == text)
        let lengths = (0..<text.count - 1).map { place in
          zip(text[...place].reversed(), text.reversed()).prefix { $0 == $1 }.count
        }
        let best = min(lengths.max() ?? 0, SuffixIndex.longest)
        let found = index.matches(1).first
        if best < SuffixIndex.shortest {
          #expect(found == nil)
        } else {
          let latest = lengths.lastIndex { $0 >= best }
          #expect(found?.length == best && found?.next == latest! + 1)
        }
      }
    }
  }

  @Test func thePoolFindsWhatFollowed() {
    var pool = NgramPool(capacity: 2)
    pool.add([1, 2, 3, 4])
    pool.add([9])  // nothing follows
    pool.add([5, 2, 7])
    #expect(pool.candidates(after: 2, previous: nil, count: 4, length: 8) == [[7], [3, 4]])
    // A run that agrees with the token before too comes first.
    #expect(pool.candidates(after: 2, previous: 1, count: 4, length: 1) == [[3], [7]])
    #expect(pool.candidates(after: 4, previous: nil, count: 4, length: 8).isEmpty)
    pool.add([6, 2, 8])
    #expect(pool.candidates(after: 2, previous: nil, count: 4, length: 8) == [[8], [7]])
    pool.add([5, 2, 7])  // moves to the front
    #expect(pool.candidates(after: 2, previous: nil, count: 1, length: 8) == [[7]])
    var none = NgramPool(capacity: 0)
    none.add([1, 2])
    #expect(none.candidates(after: 1, previous: nil, count: 4, length: 8).isEmpty)
  }
}

extension SuffixIndex {
  fileprivate func matches(_ count: Int, ahead: [Token] = []) -> [Match] {
    var found: [Match] = []
    findMatches(count, ahead: ahead, into: &found)
    return found
  }

  fileprivate func continuation(of match: Match, count: Int) -> [Token] {
    var tokens: [Token] = []
    continuation(of: match, count: count, into: &tokens)
    return tokens
  }
}
