import Analysis

/// The report as text.
extension PolicyReport {
  var lines: [String] {
    let practice =
      practised > 0 ? "; policies learned from \(Figures.count(practised)) others before" : ""
    return [
      machine.line,
      "\(Figures.count(texts)) texts, blocks of \(drafts) drafts; [ ] are 95 % intervals over texts; costs "
        + (isMeasured ? "measured" : "as given, in plain steps") + practice, "",
    ] + policyLines + verifiedLines + categoryLines + rowLines + oracleLines
      + Self.lines(of: tails, "what products of one pass take:")
      + Self.lines(of: matrices, "rows of matrices as stored:")
  }

  private var policyLines: [String] {
    TextTable.lines(
      [
        "policy", "tau", "passes", "rows", "draft rows", isMeasured ? "tok/s" : "tok/step",
        "tau over one pass", "speed over one pass", "p", "left",
      ],
      policies.map { policy in
        [
          policy.name, Figures.fixed(policy.tau, 3), Figures.fixed(policy.passes, 2),
          Figures.fixed(policy.rows, 2), Figures.fixed(policy.draftRows, 1),
          Figures.rate(policy.rate), Self.ratio(policy.tauRatio), Self.ratio(policy.speedRatio),
          TerminalReport.pValue(policy.speedRatio.pValue),
          policy.globalOrder.map { Figures.fixed($0, 2) } ?? "",
        ]
      })
  }

  private var verifiedLines: [String] {
    policies.compactMap { policy in
      policy.verifiedPasses.map {
        "self-verification would draft as \(policy.name) in \(Figures.fixed($0, 2)) passes of a block"
      }
    }
  }

  private var categoryLines: [String] {
    guard !categories.isEmpty else { return [] }
    return ["", "by category, tau and speed over one pass:"]
      + TextTable.lines(
        ["policy"] + categories.map { "\($0.name) (\(Figures.count($0.texts)))" },
        policies.indices.map { index in
          [policies[index].name]
            + categories.map { category in
              let part = category.policies[index]
              return "\(Figures.fixed(part.tau, 2)) \(Figures.fixed(part.speedRatio.ratio, 3))"
            }
        })
  }

  private var rowLines: [String] {
    ["", "rows of a first pass:"]
      + TextTable.lines(
        ["row", "entropy", "probability", "accepted", "of"],
        rows.blocks.indices.map { row in
          [
            "\(row + 1)", Figures.fixed(rows.entropy[row], 3),
            Figures.fixed(rows.probability[row], 3),
            Figures.fixed(rows.acceptance[row], 3), Figures.count(rows.reached[row]),
          ]
        })
      + [
        "drafts of an end behind right drafts: \(Figures.count(rows.ends)), of these right "
          + Figures.count(rows.rightEnds)
      ]
  }

  private static func ratio(_ comparison: PairedComparison) -> String {
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

  private static func lines(of profile: TailProfile?, _ title: String) -> [String] {
    guard let profile else { return [] }
    return ["", title]
      + TextTable.lines(
        [
          "product", "rows", "greatest", "over median", "at worst", "outlier rows, %",
          "in one column, %", "error of 8 bits, %", "of 4 bits, %",
        ],
        profile.products.map { tails in
          [
            tails.name, Figures.count(tails.rows), Figures.fixed(Double(tails.greatest), 2),
            Figures.fixed(tails.ratio, 1), Figures.fixed(tails.worstRatio, 1),
            Figures.fixed(100 * Double(tails.outlierRows) / Double(max(1, tails.rows)), 1),
            Figures.fixed(100 * tails.columnShare, 1), Figures.fixed(100 * tails.error8, 2),
            Figures.fixed(100 * tails.error4, 2),
          ]
        })
  }
}
