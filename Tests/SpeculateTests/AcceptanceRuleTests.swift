import Files
import Speculate
import Testing
import Verifier

@Suite struct AcceptanceRuleTests {
  struct Case: CustomTestStringConvertible {
    var name: String
    var drafts: [Token]
    var own: [Token]
    var end: Token?
    var accepted: Int
    var emitted: [Token]
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "no drafts", drafts: [], own: [4], accepted: 0, emitted: [4]),
    Case(
      name: "all agree, bonus", drafts: [1, 2], own: [1, 2, 3], accepted: 2, emitted: [1, 2, 3]),
    Case(name: "first differs", drafts: [9, 2], own: [1, 2, 3], accepted: 0, emitted: [1]),
    Case(name: "middle differs", drafts: [1, 9], own: [1, 2, 3], accepted: 1, emitted: [1, 2]),
    Case(name: "end drafted", drafts: [1, 2], own: [1, 2, 3], end: 1, accepted: 1, emitted: [1]),
    Case(name: "end not drafted", drafts: [9], own: [1, 2], end: 1, accepted: 0, emitted: [1]),
    Case(name: "end as bonus", drafts: [1], own: [1, 2], end: 2, accepted: 1, emitted: [1, 2]),
    Case(name: "late agreement", drafts: [9, 2], own: [1, 2, 2], accepted: 0, emitted: [1]),
  ]

  @Test(arguments: cases) func agreement(_ test: Case) {
    var emitted: [Token] = []
    var asked: [Int] = []
    var rows: [Int] = []
    let accepted = AcceptanceRule.path(
      in: TokenTree(root: 0, chain: test.drafts), into: &rows,
      choice: {
        asked.append($0)
        return test.own[$0]
      },
      emit: {
        emitted.append($0)
        return $0 != test.end
      })
    #expect(accepted == test.accepted && rows == asked)
    #expect(emitted == test.emitted)
    #expect(asked == Array(0..<test.emitted.count))
  }
}
