import Analysis

extension Chart {
  static let rowHeight = 40.0
  static let left = 4.0
  static let right = SVGDrawing.width - 14

  /// Speed-up of every configuration, with its interval.
  static func speed(_ report: AnalysisReport) -> Chart {
    let table = CSVTable(
      [
        "configuration", "tokens_per_second", "tokens_per_second_low", "tokens_per_second_high",
        "speedup", "speedup_low", "speedup_high", "p_value",
      ],
      report.configurations.map {
        [$0.name] + CSVTable.cells($0.tokensPerSecond) + CSVTable.cells($0.speedup)
          + [CSVTable.cell($0.speedupPValue)]
      })
    let rows = report.configurations.compactMap { configuration in
      configuration.speedup.map { (configuration.name, $0) }
    }
    let caption = """
      Tokens per second over those of plain decoding, prefill excluded, on the same prompts in the \
      same run. The line through a bar's end is its confidence interval; the dashed line is plain \
      decoding.
      """
    guard !rows.isEmpty else {
      return Chart(name: "speed", caption: caption, drawings: [], table: table)
    }
    var drawing = SVGDrawing(title: "Speed-up", height: 34 + Double(rows.count) * rowHeight + 34)
    let greatest = rows.map { max($0.1.value, $0.1.interval?.high ?? 0) }.max() ?? 1
    let x = Scale(0...max(1, greatest), start: left, end: right)
    let bottom = 30 + Double(rows.count) * rowHeight
    axis(x, bottom: bottom, top: 30, name: "times plain decoding", in: &drawing)
    drawing.line(x(1), 28, x(1), bottom, classes: "mark")
    for (row, (name, speedup)) in rows.enumerated() {
      let y = 30 + Double(row) * rowHeight
      label(name, TerminalReport.estimate(speedup), y: y + 14, in: &drawing)
      drawing.rectangle(
        x: left, y: y + 20, width: x(speedup.value) - left, height: 12, fill: "var(--s0)",
        hint: "\(name): \(TerminalReport.estimate(speedup))")
      whisker(speedup.interval, x, y: y + 26, in: &drawing)
    }
    return Chart(name: "speed", caption: caption, drawings: [drawing], table: table)
  }

  static func speedByCategory(_ report: AnalysisReport) -> Chart {
    let table = CSVTable(
      [
        "category", "configuration", "prompts", "tokens_per_second", "tau", "speedup",
        "speedup_low", "speedup_high",
      ],
      report.categories.map { row in
        [
          row.category, row.configuration, "\(row.prompts)", CSVTable.cell(row.tokensPerSecond),
          CSVTable.cell(row.tau),
        ] + CSVTable.cells(row.speedup)
      })
    // One category is all prompts, which the speed-up chart shows.
    let isOne = Set(report.categories.map(\.category)).count < 2
    let rows = isOne ? [] : report.categories.filter { $0.speedup != nil }
    let names = rows.map(\.configuration).reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let drawings = groups(names).map { shown in
      categories(rows.filter { shown.contains($0.configuration) }, names: shown)
    }
    return Chart(
      name: "speed-by-category",
      caption: """
        Speed-up for each kind of prompt; n is the number of prompts. Categories with few prompts have \
        wide intervals, and with one prompt none.
        """, drawings: drawings, table: table)
  }

  private static func categories(_ rows: [AnalysisReport.Category], names: [String]) -> SVGDrawing {
    let groups = rows.reduce(into: [(name: String, rows: [AnalysisReport.Category])]()) {
      if $0.last?.name == $1.category {
        $0[$0.count - 1].rows.append($1)
      } else {
        $0.append(($1.category, [$1]))
      }
    }
    let keys = names.enumerated().map {
      ChartFrame.Key(name: $1, color: style($0).color, isArea: true)
    }
    let legend = Legend(keys)
    let top = 32 + legend.height
    let height = groups.reduce(0) { $0 + 26 + 14 * Double($1.rows.count) }
    var drawing = SVGDrawing(title: "Speed-up by category", height: top + height + 38)
    legend.draw(into: &drawing, y: 26)
    let ends = rows.compactMap(\.speedup).flatMap {
      [$0.value, $0.interval?.low ?? $0.value, $0.interval?.high ?? $0.value]
    }
    let x = Scale(min(1, ends.min() ?? 1)...max(1, ends.max() ?? 1), start: left + 4, end: right)
    axis(x, bottom: top + height, top: top, name: "times plain decoding", in: &drawing)
    var y = top
    for group in groups {
      label(group.name, "n = \(group.rows[0].prompts)", y: y + 16, in: &drawing)
      y += 22
      drawing.line(x(1), y, x(1), y + 14 * Double(group.rows.count), classes: "mark")
      for row in group.rows {
        guard let speedup = row.speedup, let index = names.firstIndex(of: row.configuration)
        else { continue }
        let color = style(index).color
        if let interval = speedup.interval {
          drawing.line(
            x(interval.low), y + 6, x(interval.high), y + 6, classes: "curve",
            style: "stroke:\(color)")
        }
        drawing.circle(
          x: x(speedup.value), y: y + 6, radius: 4.5, fill: color,
          hint: "\(row.category), \(row.configuration): \(TerminalReport.estimate(speedup))")
        y += 14
      }
      y += 4
    }
    return drawing
  }

  /// Where the time of a token goes.
  static func times(_ report: AnalysisReport) -> Chart {
    let parts = ["draft", "verify", "sample", "other"]
    let colors = ["var(--s1)", "var(--s0)", "var(--s2)", "var(--plain)"]
    let all = report.configurations.map { configuration in
      let times = configuration.microsecondsPerToken
      return (configuration.name, [times.draft, times.verify, times.sample, times.other])
    }
    let table = CSVTable(
      ["configuration"] + parts.map { $0 + "_us_per_token" },
      all.map { [$0.0] + $0.1.map { CSVTable.cell($0) } })
    // One unit for the whole chart, so that its numbers can be compared.
    let longest = all.map { $0.1.reduce(0, +) }.max() ?? 1
    let (unit, size, decimals) = longest < 10_000 ? ("µs", 1.0, 0) : ("ms", 1000.0, 2)
    let rows = all.map { name, times in
      let shown = times.map { $0 / size }
      return (name, shown, "\(Figures.fixed(shown.reduce(0, +), decimals)) \(unit) a token")
    }
    return Chart(
      name: "time",
      caption: """
        Time of decoding for each token that was kept: proposing drafts, target passes, processing \
        logits and choosing tokens, and the rest (caches and features).
        """,
      drawings: [
        stacked(
          "Where the time goes", keys: zip(parts, colors).map { ($0, $1) }, rows: rows,
          name: "\(unit) a token", greatest: longest / size)
      ], table: table)
  }

  /// Where the target's token stood among the drafter's candidates when a draft was rejected.
  static func rejections(_ report: AnalysisReport) -> Chart {
    let configurations = report.configurations.filter { $0.rejections.all > 0 }
    let table = CSVTable(
      [
        "configuration", "rejections", "with_candidates", "rank_1", "rank_2", "rank_3", "rank_4",
        "rank_5", "further_down", "target_below_half",
      ],
      configurations.map { configuration in
        let counts = configuration.rejections
        return [configuration.name, "\(counts.all)", "\(counts.total)"]
          + (0..<5).map { $0 < counts.byRank.count ? "\(counts.byRank[$0])" : "0" }
          + ["\(counts.elsewhere)", "\(counts.unsure)"]
      })
    let rows = configurations.filter { $0.rejections.total > 0 }.map { configuration in
      let counts = configuration.rejections
      func share(_ count: Int) -> Double { 100 * Double(count) / Double(counts.total) }
      let ranks = counts.byRank
      return (
        configuration.name,
        [
          share(ranks.first ?? 0), share(ranks.dropFirst().first ?? 0),
          share(ranks.dropFirst(2).reduce(0, +)), share(counts.elsewhere),
        ], "\(Figures.count(counts.all)) rejections"
      )
    }
    let keys = [
      ("1st", "var(--s3)"), ("2nd", "var(--s2)"), ("3rd to 5th", "var(--s0)"),
      ("further down", "var(--plain)"),
    ]
    return Chart(
      name: "rejections",
      caption: """
        Where the target's token stood among the drafter's candidates at the place where a block \
        ended. Where it was often second, a tree with a branch would have gone on; where it was \
        further down, only a better drafter helps. First is possible when drafts are sampled, and in \
        filtered distributions.
        """,
      drawings: rows.isEmpty
        ? [] : [stacked("Why blocks end", keys: keys, rows: rows, name: "%", greatest: 100)],
      table: table)
  }

  private static func stacked(
    _ title: String, keys: [(String, String)], rows: [(String, [Double], String)], name: String,
    greatest: Double
  ) -> SVGDrawing {
    let legend = Legend(keys.map { ChartFrame.Key(name: $0, color: $1, isArea: true) })
    let top = 32 + legend.height
    let bottom = top + Double(rows.count) * rowHeight
    var drawing = SVGDrawing(title: title, height: bottom + 38)
    legend.draw(into: &drawing, y: 26)
    let x = Scale(0...max(greatest, 1e-9), start: left, end: right)
    axis(x, bottom: bottom, top: top, name: name, in: &drawing)
    for (row, (label, parts, sum)) in rows.enumerated() {
      let y = top + Double(row) * rowHeight
      Self.label(label, sum, y: y + 14, in: &drawing)
      var start = 0.0
      for (part, key) in zip(parts, keys) {
        drawing.rectangle(
          x: x(start), y: y + 20, width: x(start + part) - x(start), height: 13, fill: key.1,
          hint: "\(label), \(key.0): \(Figures.fixed(part, 1)) \(name)")
        start += part
      }
    }
    return drawing
  }

  /// A row's name to the left, its figure to the right.
  static func label(
    _ name: String, _ figure: String, y: Double, in drawing: inout SVGDrawing
  ) {
    let room = right - left - SVGDrawing.width(of: figure) - 16
    drawing.text(SVGDrawing.fitted(name, width: room), x: left, y: y)
    drawing.text(figure, x: right, y: y, anchor: .end, classes: "soft")
  }

  static func axis(
    _ x: Scale, bottom: Double, top: Double, name: String, in drawing: inout SVGDrawing
  ) {
    for (index, tick) in x.ticks.enumerated() {
      drawing.line(x(tick), bottom, x(tick), bottom + 4, classes: "axis")
      let anchor: SVGDrawing.Anchor =
        index == 0 ? .start : index == x.ticks.count - 1 ? .end : .middle
      drawing.text(x.label(tick), x: x(tick), y: bottom + 17, anchor: anchor, classes: "soft")
    }
    drawing.line(left, bottom, right, bottom, classes: "axis")
    drawing.text(name, x: right, y: bottom + 32, anchor: .end, classes: "soft")
  }

  static func whisker(
    _ interval: Interval?, _ x: Scale, y: Double, in drawing: inout SVGDrawing
  ) {
    guard let interval else { return }
    drawing.line(x(interval.low), y, x(interval.high), y, classes: "whisker")
    for end in [interval.low, interval.high] {
      drawing.line(x(end), y - 4, x(end), y + 4, classes: "whisker")
    }
  }
}
