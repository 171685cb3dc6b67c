import Files
import Speculate
import TestSupport
import Testing

/// Drafts from earlier text alone: what they bring where text repeats, and cost where it doesn't,
/// along known texts and with known pass times.
@Suite struct SuffixPolicyTests {
  /// Rows nearly free up to 16, and soon compute bound.
  static let wide = CostModel(
    verify: PassTimes([(1, 1), (8, 1.15), (16, 1.35), (32, 2.6)]), draft: PassTimes([(1, 1)]))
  static let narrow = CostModel(
    verify: PassTimes([(1, 1), (2, 1.1), (4, 1.25), (8, 2.1), (16, 3.7), (32, 7.4)]),
    draft: PassTimes([(1, 1)]))

  /// How much faster than token by token an output is, by the pass times.
  private func speedup(_ prompt: [Token], _ output: [Token], _ cost: CostModel) throws -> Double {
    let replay = DraftReplay(runner: TinyModels.runner(threads: 1), source: nil)
    try replay.load(.init(prompt: prompt, output: output))
    var length = DraftLength.adaptive(AdaptiveDraftLength(cost))
    let rounds = try replay.rounds(
      parameters: GenerationParameters(maximumTokens: output.count), length: &length,
      choice: .argmax, suffix: true, cost: cost)
    #expect(rounds.reduce(0) { $0 + $1.emitted } == output.count)
    let seconds = rounds.reduce(0) { $0 + cost.verify($1.verified + 1) }
    return Double(output.count) * cost.verify(1) / seconds
  }

  private func randomTokens(_ count: Int, seed: UInt64) -> [Token] {
    var random = RandomNumbers(seed: seed)
    return (0..<count).map { _ in Token.random(in: 0..<60, using: &random) }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func copiedTextIsSeveralTimesFaster(seed: UInt64) throws {
    let text = randomTokens(400, seed: seed)
    let prompt = text + text[..<20]
    let output = Array(text[20..<320])
    #expect(try speedup(prompt, output, Self.wide) > 8)
    // Sixteen rows bring at most 16 / 3.7.
    #expect(try speedup(prompt, output, Self.narrow) > 3)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func newTextCostsNothing(seed: UInt64) throws {
    let text = randomTokens(700, seed: seed)
    for cost in [Self.wide, Self.narrow] {
      #expect(try speedup(Array(text[..<200]), Array(text[200...]), cost) > 0.99)
    }
  }

  /// Three tokens that are always the same, and then one that never is: every match misleads.
  @Test(arguments: [1, 2, 3] as [UInt64]) func misleadingMatchesCostLittle(seed: UInt64) throws {
    let text = randomTokens(200, seed: seed).flatMap { [60, 60, 60, $0] as [Token] }
    for cost in [Self.wide, Self.narrow] {
      #expect(try speedup(Array(text[..<100]), Array(text[100...]), cost) > 0.985)
    }
  }

  /// Phrases that recur, each time with another continuation, as in an answer that only sounds like the
  /// question: short as it is, what matches promise must not cost anything.
  @Test func shortAnswersLoseNothing() throws {
    let steep = CostModel(
      verify: PassTimes([(1, 1), (2, 1.3), (4, 1.9), (8, 3)]), draft: PassTimes([(1, 1)]))
    for cost in [Self.wide, Self.narrow, steep] {
      let speedups = try (1...12 as ClosedRange<UInt64>).map { seed in
        var random = RandomNumbers(seed: seed)
        let phrases = (0..<12).map { index in
          (0..<3).map { Token(($0 + 3 * index) % 40) }
        }
        var text: [Token] = []
        while text.count < 220 {
          text += phrases.randomElement(using: &random) ?? []
          text += (0..<Int.random(in: 1...3, using: &random)).map { _ in
            Token.random(in: 40..<60, using: &random)
          }
        }
        return try speedup(Array(text[..<100]), Array(text[100..<220]), cost)
      }
      let mean = speedups.reduce(0, +) / Double(speedups.count)
      #expect(mean > 0.985 && speedups.allSatisfy { $0 > 0.965 }, "\(mean) \(speedups)")
    }
  }
}
