import Analysis

/// The page of a comparison of policies.
extension PolicyReport {
  func page(_ charts: [Chart]) -> String {
    let heading = """
      <h1>Denoising policies</h1>
      <p class="soft">\(Markup.escaped(machine.line))<br>
      \(lines.dropFirst().first.map(Markup.escaped) ?? "")</p>
      """
    let rows = policies.map { policy in
      [
        Cell(policy.name), Cell(Figures.fixed(policy.tau, 3)),
        Cell(Figures.fixed(policy.passes, 2)),
        Cell(Figures.fixed(policy.rows, 2)), Cell(Figures.rate(policy.rate)),
        Cell(.init(value: policy.tauRatio.ratio, interval: policy.tauRatio.interval), 3),
        Cell(.init(value: policy.speedRatio.ratio, interval: policy.speedRatio.interval), 3),
      ]
    }
    let table = Cell.table(
      [
        "policy", "τ", "passes", "rows", isMeasured ? "tokens/s" : "tokens a step",
        "τ over one pass", "speed over one pass",
      ], rows)
    return ReportPage.html(
      title: "Denoising policies",
      parts: [heading, table, ReportPage.figures(charts), byCategory])
  }

  private var byCategory: String {
    guard !categories.isEmpty else { return "" }
    let heading =
      ["policy"]
      + categories.flatMap { ["\($0.name), τ", "\($0.name), speed"] }
    let rows = policies.indices.map { index in
      [Cell(policies[index].name)]
        + categories.flatMap { category in
          let part = category.policies[index]
          return [
            Cell(Figures.fixed(part.tau, 2)),
            Cell(.init(value: part.speedRatio.ratio, interval: part.speedRatio.interval), 3),
          ]
        }
    }
    return "<h2>By category</h2>\n" + Cell.table(heading, rows)
  }
}
