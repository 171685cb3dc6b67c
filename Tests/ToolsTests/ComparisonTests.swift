import Analysis
import Files
import Foundation
import Speculate
import Testing
import Tools

@Suite struct ComparisonTests {
  /// A run whose every round took `seconds` and accepted `accepted` drafts.
  private func run(
    _ ids: [Token], rounds: Int, accepted: Int, seconds: Double
  ) -> RunOutcome {
    var statistics = GenerationStatistics()
    statistics.generations = 1
    for _ in 0..<rounds {
      statistics.countRound(
        drafted: accepted > 0 ? 4 : 0, verified: accepted > 0 ? 4 : 0, accepted: accepted,
        emitted: accepted + 1, ended: false)
      statistics.decodeSeconds += seconds
    }
    return RunOutcome(ids: ids, statistics: statistics)
  }

  /// Three tries of 40 tokens: 1 s plain, `speculative` s with 3 of 4 drafts accepted.
  private func comparison(_ ids: [Token], speculative seconds: [Double]) -> PromptComparison {
    var comparison = PromptComparison()
    for seconds in seconds {
      comparison.add(
        plain: run(ids, rounds: 40, accepted: 0, seconds: 1 / 40),
        speculative: run(ids, rounds: 10, accepted: 3, seconds: seconds / 10))
    }
    return comparison
  }

  private let straight = (0..<40).map(Token.init)
  private let loop = (0..<40).map { Token($0 % 2) }

  @Test func theSummaryLineIsExact() {
    let figures = ComparisonFigures([comparison(straight, speculative: [0.5, 0.25, 9])])
    #expect(
      figures.line
        == "identical yes | speedup 2.00 | tau 4.00 | plain 40.0 tok/s | speculative 80.0 tok/s")
  }

  @Test func oneOtherTokenIsNotIdentical() {
    var comparison = comparison(straight, speculative: [0.5])
    #expect(comparison.identical)
    var other = straight
    other[7] = 99
    comparison.add(
      plain: run(straight, rounds: 40, accepted: 0, seconds: 1),
      speculative: run(other, rounds: 10, accepted: 3, seconds: 1))
    #expect(!comparison.identical)
    #expect(comparison.divergence == 7)
    #expect(ComparisonFigures([comparison]).line.hasPrefix("identical no | "))
  }

  @Test func aShorterOutputIsNotIdentical() {
    var comparison = PromptComparison()
    comparison.add(
      plain: run(straight, rounds: 40, accepted: 0, seconds: 1),
      speculative: run(straight.dropLast(3), rounds: 10, accepted: 3, seconds: 1))
    #expect(comparison.divergence == 37)
  }

  @Test func ratesOfSeveralPromptsWeighTokens() {
    let figures = ComparisonFigures([
      comparison(straight, speculative: [0.25]), comparison(straight, speculative: [0.75]),
    ])
    #expect(figures.tokens == 80)
    #expect(figures.outputs == 2)
    #expect(abs(figures.plain - 40) < 1e-9)
    #expect(abs(figures.speculative - 80) < 1e-9)
    #expect(figures.acceptanceHistogram == [0, 0, 0, 20])
  }

  @Test func outputsInALoopAreCountedApart() throws {
    let report = ComparisonReport(
      [
        ("a", comparison(straight, speculative: [0.5])),
        ("b", comparison(loop, speculative: [0.1])),
      ], machine: Machine(threads: 2), interrupted: false)
    #expect(report.loopShare == 0.5)
    #expect(report.prompts.map(\.endsInLoop) == [false, true])
    let others = try #require(report.withoutLoops)
    #expect(others.outputs == 1)
    #expect(abs(others.speedup - 2) < 1e-9)
    #expect(
      report.lines == [
        "drafts accepted in a round, in all:",
        "  0 0 (0.0 %)",
        "  1 0 (0.0 %)",
        "  2 0 (0.0 %)",
        "  3 \(String(repeating: "█", count: 40)) 20 (100.0 %)",
        "1 of 2 outputs end in a loop (loop_share 0.50); the others:",
        "  identical yes | speedup 2.00 | tau 4.00 | plain 40.0 tok/s | speculative 80.0 tok/s",
        "identical yes | speedup 3.33 | tau 4.00 | plain 40.0 tok/s | speculative 133.3 tok/s",
      ])
  }

  @Test func onlyLoopsLeaveNothingToReportApart() {
    let report = ComparisonReport(
      [("b", comparison(loop, speculative: [0.1]))], machine: Machine(threads: 2),
      interrupted: false)
    #expect(report.withoutLoops == nil)
    #expect(report.lines.contains("  there are none"))
  }

  @Test func jsonCarriesTheNamesOfTheSummary() throws {
    let report = ComparisonReport(
      [("a", comparison(straight, speculative: [0.5]))], machine: Machine(threads: 2),
      interrupted: false)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let object = try #require(
      JSONSerialization.jsonObject(with: encoder.encode(report)) as? [String: Any])
    #expect(object["identical"] as? Bool == true)
    let expected = ["speedup": 2.0, "tau": 4, "plain": 40, "speculative": 80, "loop_share": 0]
    for (name, value) in expected {
      let found = try #require(object[name] as? Double, "\(name)")
      #expect(abs(found - value) < 1e-9, "\(name)")
    }
    #expect(object["acceptance_histogram"] as? [Int] == [0, 0, 0, 10])
    #expect((object["prompts"] as? [Any])?.count == 1)
  }

  @Test func aPromptsLinesHoldItsFiguresAndHistogram() {
    let runs = comparison(straight, speculative: [0.5])
    #expect(
      ComparisonReport.lines(number: 2, of: 9, place: "p.jsonl line 2", runs: runs) == [
        "[2/9] p.jsonl line 2, 40 tokens",
        "  identical yes | speedup 2.00 | tau 4.00 | plain 40.0 tok/s | speculative 80.0 tok/s",
        "  accepted 0…3: 0 0 0 10     █",
      ])
  }
}
