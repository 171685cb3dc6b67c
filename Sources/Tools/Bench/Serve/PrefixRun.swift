import Files
import Foundation

/// Asks about beginnings of texts twice each, so that the second time a server may know them.
///
/// One request at a time: what is measured is the way to the first token, not a load.
struct PrefixRun {
  let client: LoadClient
  let model: String
  /// Ids that texts are made of.
  let pool: [Int]
  /// Tokens of a beginning.
  let length: Int
  /// Beginnings.
  let count: Int
  let seed: UInt64
  /// Members of every request's body.
  let settings: [(String, String)]

  /// Tokens at the start of a beginning that tell it from all others.
  private static let nonce = 16
  /// Tokens of a question behind a beginning.
  static let question = 16

  /// A request behind a new beginning, and another behind the same.
  struct Pair: Sendable {
    var new: LoadSample
    var known: LoadSample
  }

  func run() -> [Pair] {
    var random = SplitMix(seed: seed)
    let line = ProgressLine("beginnings", unit: "beginnings", total: count)
    let watch = Stopwatch()
    var pairs: [Pair] = []
    for number in 0..<count where !Interruption.requested {
      let beginning =
        drawn(min(Self.nonce, length), &random) + slice(length - Self.nonce, &random)
      let new = ask(beginning + drawn(Self.question, &random), watch.elapsed)
      let known = ask(beginning + drawn(Self.question, &random), watch.elapsed)
      pairs.append(Pair(new: new, known: known))
      line.update(number + 1)
    }
    line.clear()
    return pairs
  }

  private func ask(_ ids: [Int], _ sent: Double) -> LoadSample {
    client.run(LoadRequest(ids: ids, model: model, settings: settings), sent: sent)
  }

  /// Any ids of the pool.
  private func drawn(_ count: Int, _ random: inout SplitMix) -> [Int] {
    (0..<count).map { _ in pool[Int.random(in: 0..<pool.count, using: &random)] }
  }

  /// Ids that follow each other in the pool, from any on.
  private func slice(_ count: Int, _ random: inout SplitMix) -> [Int] {
    let start = Int.random(in: 0..<pool.count, using: &random)
    return (0..<max(0, count)).map { pool[(start + $0) % pool.count] }
  }
}

/// How much sooner the first token comes behind a beginning that a server knows.
struct PrefixReport: Encodable {
  let url: String
  let model: String
  /// Tokens of a beginning.
  let sharedPrefix: Int
  let beginnings: Int
  let failed: Int
  /// Why the first failed.
  let failure: String?
  /// Seconds to the first token behind a new beginning, and behind a known one.
  let newSeconds: LoadReport.Percentiles?
  let knownSeconds: LoadReport.Percentiles?
  /// The median of the known by the median of the new.
  let share: Double?
  /// Tokens of a prompt, and those that the server says it knew; means.
  let promptTokens: Double
  let newCachedTokens: Double
  let knownCachedTokens: Double

  init(url: String, model: String, length: Int, _ pairs: [PrefixRun.Pair]) {
    let good = pairs.filter { $0.new.failure == nil && $0.known.failure == nil }
    self.url = url
    self.model = model
    sharedPrefix = length
    beginnings = pairs.count
    failed = pairs.count - good.count
    failure = pairs.lazy.compactMap { $0.new.failure ?? $0.known.failure }.first
    let new = LoadReport.Percentiles(good.map(\.new.untilFirst))
    let known = LoadReport.Percentiles(good.map(\.known.untilFirst))
    (newSeconds, knownSeconds) = (new, known)
    share = new.flatMap { new in known.map { $0.p50 / new.p50 } }
    func mean(_ value: (PrefixRun.Pair) -> Int) -> Double {
      Double(good.reduce(0) { $0 + value($1) }) / Double(max(1, good.count))
    }
    promptTokens = mean(\.known.promptTokens)
    newCachedTokens = mean(\.new.cachedTokens)
    knownCachedTokens = mean(\.known.cachedTokens)
  }

  var lines: [String] {
    let none = ["", "", "", ""]
    return [
      "\(url), \(model): \(beginnings) beginnings of \(Figures.count(sharedPrefix)) tokens, each asked about "
        + "twice, \(failed) failed" + (failure.map { " (\($0))" } ?? "")
    ]
      + TextTable.lines(
        ["milliseconds to the first token", "mean", "p50", "p90", "p99"],
        [
          ["the beginning is new"] + (newSeconds?.row ?? none),
          ["the beginning is known"] + (knownSeconds?.row ?? none),
        ]) + [
        "of \(Figures.fixed(promptTokens, 0)) tokens the server had \(Figures.fixed(newCachedTokens, 0)) the "
          + "first time, \(Figures.fixed(knownCachedTokens, 0)) the second",
        share.map { "the known take \(Figures.fixed($0, 3)) of the time of the new" }
          ?? "there is nothing to compare",
      ]
  }
}
