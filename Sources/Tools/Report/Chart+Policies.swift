import Analysis

/// Charts of ways to denoise.
extension Chart {
  /// All charts that a comparison of policies has something for.
  static func all(_ report: PolicyReport) -> [Chart] {
    [policySpeed(report), entropies(report), order(report)].filter { !$0.drawings.isEmpty }
  }

  /// Speed of every policy over one pass, with its interval.
  private static func policySpeed(_ report: PolicyReport) -> Chart {
    let rows = report.policies.dropFirst().map {
      (name: $0.name, ratio: $0.speedRatio.ratio, interval: $0.speedRatio.interval)
    }
    return Chart(
      name: "policies",
      caption: """
        Speed over that of one pass on the same texts, by one table of what passes cost. The line through a \
        bar's end is its confidence interval; the dashed line is one pass.
        """,
      drawings: groups(rows, of: 16).map {
        bars("Speed over one pass", $0, name: "times one pass", mark: 1)
      },
      table: CSVTable(
        ["policy", "tau", "passes", "speed_ratio", "speed_low", "speed_high"],
        report.policies.map {
          [$0.name] + [$0.tau, $0.passes, $0.speedRatio.ratio].map(CSVTable.cell)
            + CSVTable.cells($0.speedRatio.interval)
        }))
  }

  /// Entropy, probability and acceptance of each row of a first pass.
  private static func entropies(_ report: PolicyReport) -> Chart {
    let rows = report.rows
    let curves = [
      ("entropy, nats", rows.entropy), ("probability of its draft", rows.probability),
      ("accepted, all before being right", rows.acceptance),
    ]
    let greatest = max(1, curves.flatMap(\.1).max() ?? 1)
    let table = CSVTable(
      ["row", "entropy", "probability", "accepted", "reached", "blocks"],
      rows.blocks.indices.map { row in
        ["\(row + 1)"] + curves.map { CSVTable.cell($0.1[row]) }
          + ["\(rows.reached[row])", "\(rows.blocks[row])"]
      })
    guard !rows.blocks.isEmpty else {
      return Chart(name: "entropy-by-row", caption: "", drawings: [], table: table)
    }
    var frame = ChartFrame(
      title: "Rows of a first pass", keys: keys(curves.map(\.0)), xName: "row", yName: "",
      places: 1...rows.blocks.count, greatest: greatest)
    for (index, (name, values)) in curves.enumerated() {
      let style = style(index)
      frame.drawing.curve(
        values.enumerated().map { (frame.x(Double($0 + 1)), frame.y($1)) }, stroke: style.color,
        dash: style.dash)
      for (row, value) in values.enumerated() {
        frame.drawing.circle(
          x: frame.x(Double(row + 1)), y: frame.y(value), radius: 3, fill: style.color,
          hint: "row \(row + 1), \(name): \(Figures.fixed(value, 3))")
      }
    }
    return Chart(
      name: "entropy-by-row",
      caption: """
        What the drafter's first pass says of each row, and how often its draft is right. Rows far from known \
        text are the least certain.
        """, drawings: [frame.drawing], table: table)
  }

  /// How much like reading the order is in which policies fix drafts.
  private static func order(_ report: PolicyReport) -> Chart {
    let rows = report.policies.filter { $0.passes > 1.005 }.compactMap { policy in
      policy.globalOrder.map { (name: policy.name, ratio: $0, interval: nil as Interval?) }
    }
    return Chart(
      name: "order",
      caption: """
        How often the draft that was fixed stood at the leftmost mask of its time (DiffuCoder's global \
        AR-ness); 1 is reading from left to right. Policies of one pass fix all drafts together and aren't shown.
        """,
      drawings: groups(rows, of: 16).map {
        bars("Drafts fixed from the left", $0, name: "share", mark: nil)
      },
      table: CSVTable(
        ["policy", "passes", "global_1", "local_1"],
        report.policies.map {
          [$0.name] + [$0.passes, $0.globalOrder, $0.localOrder].map(CSVTable.cell)
        }))
  }

  private static func groups<Element>(
    _ all: some Collection<Element>, of count: Int
  ) -> [[Element]] {
    let all = Array(all)
    return stride(from: 0, to: all.count, by: count).map { Array(all[$0...].prefix(count)) }
  }

  private static func bars(
    _ title: String, _ rows: [(name: String, ratio: Double, interval: Interval?)], name: String,
    mark: Double?
  ) -> SVGDrawing {
    let bottom = 30 + Double(rows.count) * rowHeight
    var drawing = SVGDrawing(title: title, height: bottom + 34)
    let greatest = rows.map { max($0.ratio, $0.interval?.high ?? 0) }.max() ?? 1
    let x = Scale(0...max(1, greatest), start: left, end: right)
    axis(x, bottom: bottom, top: 30, name: name, in: &drawing)
    if let mark { drawing.line(x(mark), 28, x(mark), bottom, classes: "mark") }
    for (row, bar) in rows.enumerated() {
      let y = 30 + Double(row) * rowHeight
      let figure = Figures.fixed(bar.ratio, 3)
      label(bar.name, figure, y: y + 14, in: &drawing)
      drawing.rectangle(
        x: left, y: y + 20, width: x(bar.ratio) - left, height: 12, fill: "var(--s0)",
        hint: "\(bar.name): \(figure)")
      whisker(bar.interval, x, y: y + 26, in: &drawing)
    }
    return drawing
  }
}
