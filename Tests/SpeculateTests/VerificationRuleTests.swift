import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing

/// Token and block verification give the target's distribution, whatever was drafted (docs/algorithms.md 2). No model
/// is in here: both distributions are tables.
@Suite struct VerificationRuleTests {
  #if DEBUG
    static let samples = fuzzRounds(50_000)
  #else
    static let samples = fuzzRounds(1_000_000)
  #endif
  static let vocabulary = 5
  /// Tokens that are looked at together, and drafts of a round.
  static let (length, drafts) = (3, 3)
  static let cells = 125

  /// Logits behind each text of up to five tokens, by its number: [texts][vocabulary].
  struct Table {
    var rows: [[Float]]

    init(seed: UInt64, spread: Float, depth: Int = 5) {
      var random = SplitMix(seed: seed)
      let texts = (0...depth).reduce(0) {
        $0 + Int(pow(Double(VerificationRuleTests.vocabulary), Double($1)))
      }
      rows = (0..<texts).map { _ in
        (0..<VerificationRuleTests.vocabulary).map { _ in
          spread * Float(Double(random.next() >> 11) * 0x1p-53 - 0.5)
        }
      }
    }

    /// The number of a text with a token more.
    static func next(_ text: Int, _ token: Int) -> Int {
      text * VerificationRuleTests.vocabulary + token + 1
    }
  }

  static let target = Table(seed: 1, spread: 4)
  static let drafter = Table(seed: 2, spread: 4)

  /// How drafts come about, and what verification is told of it.
  enum Drafting: CaseIterable {
    /// Drawn from the drafter's distribution, which is known.
    case drawn
    /// The drafter's likeliest tokens.
    case likeliest
    /// Drawn, but nobody says of what.
    case unknown
    /// Drawn from the drafter's distribution, another one being told: a mistake.
    case mistaken
  }

  struct Case: CustomTestStringConvertible {
    var rule: Verification
    var drafting: Drafting
    var sampling = SamplingParameters(temperature: 1)
    var testDescription: String { "\(rule), \(drafting), \(sampling)" }
  }

  static let filters = [
    SamplingParameters(temperature: 0.6), SamplingParameters(temperature: 1.3, topK: 3),
    SamplingParameters(temperature: 1, topP: 0.7), SamplingParameters(temperature: 1, minP: 0.3),
  ]

  static let cases = [Verification.token, .block].flatMap { rule in
    Drafting.allCases.map { Case(rule: rule, drafting: $0) }
      + filters.map { Case(rule: rule, drafting: .drawn, sampling: $0) }
  }

  /// Outputs, counted by their first tokens, and accepted drafts of first rounds.
  struct Outcome {
    var counts = [Int](repeating: 0, count: VerificationRuleTests.cells)
    var accepted = 0
  }

  /// Decodes many times. Probabilities of all rows are worked out once, so that a round is the rule and little else.
  static func decode(_ test: Case, samples: Int = samples) -> Outcome {
    let p = processed(target, test.sampling)
    let q = processed(drafter, test.sampling)
    let even = FloatBuffer(count: vocabulary)
    even.base.update(repeating: 1 / Float(vocabulary), count: vocabulary)
    let verifier = DraftVerifier(vocabulary: vocabulary)
    let own = KeyedNoise(seed: 9)
    var outcome = Outcome()
    for sample in 0..<samples {
      var text = 0
      var output: [Token] = []
      while output.count < length {
        let start = sample * 8 + output.count
        let drafted = KeyedNoise(seed: VerificationNoise.draftSeed(5, start: start))
        var chain: [Token] = []
        var places = [text]
        for place in 0..<drafts {
          let row = places[place]
          let token =
            test.drafting == .likeliest
            ? q.logits[row].firstIndex(of: q.logits[row].max() ?? 0) ?? 0
            : draw(q.rows[row], drafted.stream(position: start + place).uniform(0))
          chain.append(Token(token))
          places.append(Table.next(row, token))
        }
        var emitted: [Token] = []
        let result = verifier.verify(
          DraftVerifier.Chain(
            drafts: chain[...], noise: VerificationNoise(seed: 5, start: start),
            drafted: { place in
              switch test.drafting {
              case .drawn: UnsafePointer(q.rows[places[place]].base)
              case .likeliest, .unknown: nil
              case .mistaken: UnsafePointer(even.base)
              }
            },
            row: { p.raw[places[$0]].base },
            bonus: {
              Token(draw(p.rows[places[drafts]], own.stream(position: start + drafts).uniform(1)))
            },
            emit: {
              emitted.append($0)
              return true
            }), by: test.rule)
        #expect(result.emitted == emitted.count && result.accepted == emitted.count - 1)
        if output.isEmpty { outcome.accepted += result.accepted }
        for token in emitted.prefix(length - output.count) { text = Table.next(text, Int(token)) }
        output += emitted
      }
      outcome.counts[output.prefix(length).reduce(0) { $0 * vocabulary + Int($1) }] += 1
    }
    return outcome
  }

  /// Every row of a table after temperature and filters: its logits, and its probabilities.
  static func processed(
    _ table: Table, _ sampling: SamplingParameters
  ) -> (logits: [[Float]], raw: [FloatBuffer], rows: [FloatBuffer]) {
    var processor = LogitProcessor(sampling)
    let context = TokenPresence(vocabulary: vocabulary)
    var logits: [[Float]] = []
    var raw: [FloatBuffer] = []
    var rows: [FloatBuffer] = []
    for row in table.rows {
      var row = row
      row.withUnsafeMutableBufferPointer { _ = processor.process($0, context: context) }
      let (kept, probabilities) = (FloatBuffer(count: vocabulary), FloatBuffer(count: vocabulary))
      for token in 0..<vocabulary {
        kept.base[token] = row[token]
        probabilities.base[token] = row[token]
      }
      Kernels.softmax(probabilities.base, count: vocabulary)
      logits.append(row)
      raw.append(kept)
      rows.append(probabilities)
    }
    return (logits, raw, rows)
  }

  static func draw(_ row: FloatBuffer, _ uniform: Double) -> Int {
    var left = uniform
    for token in 0..<vocabulary {
      left -= Double(row.base[token])
      if left < 0 { return token }
    }
    return vocabulary - 1
  }

  /// The exact distribution of the first tokens.
  static func expected(_ sampling: SamplingParameters) -> [Double] {
    let rows = processed(target, sampling).rows
    var chances = [Double](repeating: 0, count: cells)
    for cell in 0..<cells {
      let tokens = [cell / 25, cell / 5 % 5, cell % 5]
      var (text, chance) = (0, 1.0)
      for token in tokens {
        chance *= Double(rows[text].base[token])
        text = Table.next(text, token)
      }
      chances[cell] = chance
    }
    return chances
  }

  @Test(arguments: cases) func `the target's distribution comes out`(test: Case) {
    let outcome = Self.decode(test)
    let expected = Self.expected(test.sampling)
    for cell in 0..<Self.cells where expected[cell] == 0 { #expect(outcome.counts[cell] == 0) }
    let statistic = ChiSquare.statistic(outcome.counts, expected)
    let isRight = statistic.value < ChiSquare.critical(statistic.freedom)
    // A mistake must show, or the others prove nothing.
    #expect(isRight == (test.drafting != .mistaken), "\(statistic)")
    #expect(statistic.freedom > 3 && outcome.counts.reduce(0, +) == Self.samples)
  }

  /// Of drafts that were drawn the block rule keeps more; of others both keep the same.
  @Test func `the block rule keeps no fewer drafts`() {
    func mean(_ rule: Verification, _ drafting: Drafting) -> Double {
      Double(Self.decode(Case(rule: rule, drafting: drafting)).accepted) / Double(Self.samples)
    }
    let noise = 4 / Double(Self.samples).squareRoot()
    let gain = mean(.block, .drawn) - mean(.token, .drawn)
    #expect(gain > 2 * noise, "\(gain)")
    for drafting in [Drafting.likeliest, .unknown] {
      #expect(abs(mean(.block, drafting) - mean(.token, drafting)) < 2 * noise)
    }
  }

  /// Rounds don't share numbers, nor do the purposes of one round.
  @Test func `numbers of rounds and purposes are their own`() {
    var seen: Set<UInt64> = []
    for seed in 0..<10 as Range<UInt64> {
      for start in 0..<100 {
        seen.insert(VerificationNoise.draftSeed(seed, start: start))
      }
    }
    #expect(seen.count == 1000)
  }

  /// What was drawn more than once, or out of order, has no distribution of its own.
  @Test func `only orderly blocks have distributions`() {
    let kept = DraftDistributions(vocabulary: 4)
    let weights: [Float] = [1, 3, 0, 4]
    func record(_ place: Int) { kept.record(weights, count: 4, total: 8, place: place) }
    for place in 0..<2 { record(place) }
    #expect(kept[0].map { [$0[0], $0[1], $0[2], $0[3]] } == [0.125, 0.375, 0, 0.5])
    #expect(kept[1] != nil && kept[2] == nil)
    record(1)
    #expect(kept[0] == nil)
    kept.begin()
    record(1)
    #expect(kept[0] == nil && kept[1] == nil)
    kept.begin()
    record(0)
    #expect(kept[0] != nil)
  }
}
