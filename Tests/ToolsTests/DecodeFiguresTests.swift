import Analysis
import Files
import Foundation
import Speculate
import Testing
import Tools

/// The figures of `bench decode --prompt-file` from known runs.
@Suite struct DecodeFiguresTests {
  /// A prompt of 40 tokens, 1 s plain in every round, the given seconds speculatively with 3 drafts
  /// accepted in each of ten passes.
  private func comparison(
    _ ids: [Token], plain: [Double] = [1, 1, 1], speculative: [Double]
  ) -> PromptComparison {
    var comparison = PromptComparison()
    for (plain, speculative) in zip(plain, speculative) {
      comparison.add(
        plain: run(ids, passes: 40, accepted: 0, seconds: plain),
        speculative: run(ids, passes: 10, accepted: 3, seconds: speculative))
    }
    return comparison
  }

  private func run(_ ids: [Token], passes: Int, accepted: Int, seconds: Double) -> RunOutcome {
    var statistics = GenerationStatistics()
    statistics.generations = 1
    statistics.decodeSeconds = seconds
    for _ in 0..<passes {
      statistics.countRound(
        drafted: accepted, verified: accepted, accepted: accepted, emitted: accepted + 1,
        ended: false)
    }
    return RunOutcome(ids: ids, statistics: statistics)
  }

  private let straight = (0..<40).map(Token.init)
  private let loop = (0..<40).map { Token($0 % 2) }
  private let setting = DecodeReport.Setting(
    machine: Machine(threads: 2), blasCore: "Test", model: "m", weights: "bf16", kvType: "f32",
    drafter: "d, int8", maxTokens: 40, temperature: 0)

  @Test func roundsAreSummedOverPromptsBeforeTheMedianIsTaken() {
    // Rounds of 80 tokens in 1, 0.5 and 1.6 s: no prompt's median is the group's.
    let figures = DecodeFigures([
      comparison(straight, speculative: [0.75, 0.25, 0.8]),
      comparison(straight, speculative: [0.25, 0.25, 0.8]),
    ])
    #expect(figures.outputs == 2 && figures.tokens == 80)
    #expect(figures.plainTokensPerSecond == 40)
    #expect(figures.plainTokensPerSecondSpread == Spread([40]))
    #expect(figures.speculativeTokensPerSecond == 80)
    #expect(figures.speculativeTokensPerSecondSpread == Spread([50, 160]))
    #expect(figures.speedup == 2)
    #expect(figures.speedupSpread == Spread([1.25, 4]))
    #expect(figures.tau == 4)
    #expect(figures.speedupPerTau == 0.5)
    #expect(figures.longestAccepted == 3)
    #expect(figures.identical)
  }

  @Test func loopsAreCountedApart() throws {
    let report = DecodeReport(
      [
        comparison(straight, speculative: [0.5, 0.5, 0.5]),
        comparison(loop, speculative: [0.125, 0.125, 0.125]),
      ], setting: setting)
    #expect(report.loopShare == 0.5)
    #expect(report.rounds == 3)
    #expect(report.figures.speedup == 3.2)
    #expect(try #require(report.withoutLoops).speedup == 2)
    #expect(
      Array(report.lines.dropFirst()) == [
        "m, bf16, keys and values f32; drafts: d, int8",
        "2 prompts, plain and speculative in turn, at most 40 tokens, greedy",
        "                      outputs  plain tok/s     spread  speculative tok/s       spread  "
          + "speedup     spread   tau  speedup / tau  longest draft",
        "all                         2         40.0  40.0–40.0              128.0  128.0–128.0  "
          + "   3.20  3.20–3.20  4.00           0.80              3",
        "not ending in a loop        1         40.0  40.0–40.0               80.0    80.0–80.0  "
          + "   2.00  2.00–2.00  4.00           0.50              3",
        "1 of 2 outputs end in a loop; medians of 3 measurements, least and greatest",
        "identical yes",
      ])
    #expect(report.lines[0].hasSuffix(" | 2 threads | OpenBLAS Test"))
  }

  @Test func onlyLoopsLeaveNoFiguresApart() {
    let report = DecodeReport([comparison(loop, speculative: [0.5])], setting: setting)
    #expect(report.withoutLoops == nil)
    #expect(report.loopShare == 1)
    #expect(report.lines.filter { $0.hasPrefix("not ending") }.isEmpty)
  }

  @Test func oneOtherTokenIsNotIdentical() {
    var other = comparison(straight, speculative: [0.5])
    other.add(
      plain: run(straight, passes: 40, accepted: 0, seconds: 1),
      speculative: run(Array(straight.dropLast()) + [99], passes: 10, accepted: 3, seconds: 1))
    let report = DecodeReport([other], setting: setting)
    #expect(!report.figures.identical)
    #expect(report.lines.last == "identical no")
  }
}
