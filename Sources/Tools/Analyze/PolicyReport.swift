import Analysis
import Speculate

/// What ways to denoise brought, as a table and as JSON.
struct PolicyReport: Encodable {
  let machine: Machine
  let texts: Int
  let drafts: Int
  /// Whether costs were measured; else they are in plain steps.
  let isMeasured: Bool
  let policies: [Policy]
  let rows: RowProfile
  let oracle: OracleFigures?

  struct Policy: Encodable {
    let name: String
    let tau: Double
    let passes: Double
    let rows: Double
    let draftRows: Double
    /// Tokens per second, or per plain step.
    let rate: Double
    /// Over plain decoding.
    let speedup: Double
    /// Over one pass, on the same texts.
    let tauRatio: PairedComparison
    let speedRatio: PairedComparison
    let localOrder: Double?
    let globalOrder: Double?
  }

  init(
    machine: Machine, texts: Int, drafts: Int, isMeasured: Bool, cost: CostModel,
    figures: [PolicyFigures], profile: RowProfile, oracle: OracleFigures?
  ) {
    self.machine = machine
    self.texts = texts
    self.drafts = drafts
    self.isMeasured = isMeasured
    rows = profile
    self.oracle = oracle
    policies = figures.map { one in
      Policy(
        name: one.name, tau: one.tau, passes: one.passesPerRound, rows: one.rowsPerRound,
        draftRows: one.draftRowsPerRound, rate: one.rate, speedup: one.rate * cost.verify(1),
        tauRatio: one.tau(over: figures[0]), speedRatio: one.rate(over: figures[0]),
        localOrder: one.localOrder, globalOrder: one.globalOrder)
    }
  }

  var lines: [String] {
    var lines = [
      machine.line,
      "\(Figures.count(texts)) texts, blocks of \(drafts) drafts; [ ] are 95 % intervals over texts; costs "
        + (isMeasured ? "measured" : "as given, in plain steps"), "",
    ]
    lines += TextTable.lines(
      [
        "policy", "tau", "passes", "rows", "draft rows", isMeasured ? "tok/s" : "tok/step",
        "tau over one pass", "speed over one pass", "p", "left",
      ],
      policies.map { policy in
        [
          policy.name, Figures.fixed(policy.tau, 3), Figures.fixed(policy.passes, 2),
          Figures.fixed(policy.rows, 2), Figures.fixed(policy.draftRows, 1),
          Figures.rate(policy.rate), ratio(policy.tauRatio), ratio(policy.speedRatio),
          TerminalReport.pValue(policy.speedRatio.pValue),
          policy.globalOrder.map { Figures.fixed($0, 2) } ?? "",
        ]
      })
    lines += ["", "rows of a first pass:"]
    lines += TextTable.lines(
      ["row", "entropy", "probability", "accepted", "of"],
      rows.blocks.indices.map { row in
        [
          "\(row + 1)", Figures.fixed(rows.entropy[row], 3),
          Figures.fixed(rows.probability[row], 3),
          Figures.fixed(rows.acceptance[row], 3), Figures.count(rows.reached[row]),
        ]
      })
    return lines + oracleLines
  }

  private func ratio(_ comparison: PairedComparison) -> String {
    Figures.fixed(comparison.ratio, 3)
      + (comparison.interval.map {
        " [\(Figures.fixed($0.low, 3)), \(Figures.fixed($0.high, 3))]"
      } ?? "")
  }

  private var oracleLines: [String] {
    guard let oracle else { return [] }
    let gain = oracle.best - oracle.tau
    let interval =
      oracle.gain.map { " [\(Figures.fixed($0.low, 3)), \(Figures.fixed($0.high, 3))]" } ?? ""
    return [
      "",
      "in hindsight, a second pass behind the best set of drafts of each of \(Figures.count(oracle.blocks)) "
        + "blocks:",
      "  tau \(Figures.fixed(oracle.tau, 3)) becomes \(Figures.fixed(oracle.best, 3)), a gain of "
        + "\(Figures.fixed(gain, 3))\(interval); some set helps \(Figures.fixed(100 * oracle.share, 1)) % of "
        + "blocks",
      "  best first drafts \(Figures.fixed(oracle.bestRun, 3)), best surest drafts "
        + "\(Figures.fixed(oracle.bestSure, 3))",
      "  where it pays alone: tau \(Figures.fixed(oracle.paying.tau, 3)), "
        + "\(Figures.fixed(oracle.paying.passes, 2)) passes, \(Figures.fixed(oracle.paying.speed, 3)) times the "
        + "speed of one pass",
    ]
  }
}
