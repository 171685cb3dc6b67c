import Analysis
import Files

/// What a load on one server showed.
struct LoadReport: Encodable {
  /// Seconds by share of requests.
  struct Percentiles: Encodable {
    let mean: Double
    let p50: Double
    let p90: Double
    let p99: Double

    init?(_ values: [Double]) {
      guard !values.isEmpty else { return nil }
      let sorted = values.sorted()
      mean = values.reduce(0, +) / Double(values.count)
      p50 = Bootstrap.quantile(sorted, 0.5)
      p90 = Bootstrap.quantile(sorted, 0.9)
      p99 = Bootstrap.quantile(sorted, 0.99)
    }

    var row: [String] { [mean, p50, p90, p99].map { Figures.fixed(1000 * $0, 1) } }
  }

  /// What an answer has to keep to for its tokens to count as goodput.
  struct Goal: Encodable {
    var firstToken: Double
    var perToken: Double
  }

  let url: String
  let model: String
  let requests: Int
  let failed: Int
  /// Why the first failed.
  let failure: String?
  let seconds: Double
  let promptTokens: Int
  let tokens: Int
  let tokensPerSecond: Double
  let requestsPerSecond: Double
  let firstTokenSeconds: Percentiles?
  let perTokenSeconds: Percentiles?
  let requestSeconds: Percentiles?
  let goal: Goal
  /// Requests a second that kept to the goal, and their share.
  let goodput: Double
  let goodShare: Double
  /// Accepted drafts of those that were verified; nil where the server doesn't say.
  let acceptanceRate: Double?

  init(_ target: LoadTarget, model: String, _ samples: [LoadSample], seconds: Double, goal: Goal) {
    let good = samples.filter { $0.failure == nil }
    url = target.url
    self.model = model
    requests = samples.count
    failed = samples.count - good.count
    failure = samples.lazy.compactMap(\.failure).first
    self.seconds = seconds
    promptTokens = good.reduce(0) { $0 + $1.promptTokens }
    tokens = good.reduce(0) { $0 + $1.tokens }
    tokensPerSecond = Double(tokens) / seconds
    requestsPerSecond = Double(good.count) / seconds
    firstTokenSeconds = Percentiles(good.compactMap(\.firstText))
    perTokenSeconds = Percentiles(good.compactMap(\.perToken))
    requestSeconds = Percentiles(good.map(\.total))
    self.goal = goal
    let kept = good.filter {
      ($0.firstText ?? $0.total) <= goal.firstToken && ($0.perToken ?? 0) <= goal.perToken
    }.count
    goodput = Double(kept) / seconds
    goodShare = Double(kept) / Double(max(1, samples.count))
    let drafts = good.reduce(0) { $0 + $1.drafts }
    acceptanceRate =
      drafts > 0 ? Double(good.reduce(0) { $0 + $1.accepted }) / Double(drafts) : nil
  }

  var lines: [String] {
    let none = ["", "", "", ""]
    return [
      "\(url), \(model): \(requests) requests in \(Figures.fixed(seconds, 1)) s, \(failed) failed"
        + (failure.map { " (\($0))" } ?? ""),
      "\(Figures.rate(tokensPerSecond)) tokens/s, \(Figures.rate(requestsPerSecond)) requests/s; "
        + "\(Figures.count(promptTokens)) tokens of prompts, \(Figures.count(tokens)) of answers",
    ]
      + TextTable.lines(
        ["milliseconds", "mean", "p50", "p90", "p99"],
        [
          ["to the first token"] + (firstTokenSeconds?.row ?? none),
          ["a token after it"] + (perTokenSeconds?.row ?? none),
          ["to the end"] + (requestSeconds?.row ?? none),
        ]) + [
        "goodput \(Figures.rate(goodput)) requests/s: \(Figures.fixed(100 * goodShare, 1)) % had their first "
          + "token within \(goal.firstToken) s and others within \(goal.perToken) s each",
        acceptanceRate.map { "drafts accepted \(Figures.fixed(100 * $0, 1)) %" }
          ?? "the server doesn't say how many drafts were accepted",
      ]
  }
}
