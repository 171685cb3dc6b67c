import Analysis

/// Charts that hold a model against what was measured: of cost, and of confidence.
extension Chart {
  /// Speed-up by draft length as the cost model expects it, and as it was measured.
  static func expectation(_ report: AnalysisReport) -> Chart {
    let configurations = report.configurations.filter { !$0.expectations.isEmpty }
    let table = CSVTable(
      ["configuration", "drafts", "expected_speedup", "measured_speedup"],
      configurations.flatMap { configuration in
        let measured = CSVTable.cell(configuration.speedup?.value)
        return configuration.expectations.map { point in
          [
            configuration.name, "\(point.drafts)", CSVTable.cell(point.speedup),
            configuration.settings.draftLength == point.drafts ? measured : "",
          ]
        } + [
          [configuration.name, "as run", CSVTable.cell(configuration.expectedSpeedup), measured]
        ]
      })
    let drawings = groups(configurations).map { group in
      let verified = group.map { Int($0.meanVerified.rounded(.up)) }
      let longest = (group.map(\.expectations.count) + verified).max() ?? 1
      let values = group.flatMap { configuration -> [Double] in
        let measured = configuration.speedup
        let ends = [measured?.value ?? 1, measured?.interval?.high ?? 1]
        return configuration.expectations.map(\.speedup) + ends
          + [configuration.expectedSpeedup ?? 1]
      }
      var frame = ChartFrame(
        title: "Expected and measured speed-up", keys: keys(group.map(\.name)),
        xName: "drafts of a block", yName: "times plain decoding", places: 0...longest,
        greatest: max(1, values.max() ?? 1))
      frame.drawing.line(
        frame.x(0), frame.y(1), frame.x(Double(longest)), frame.y(1), classes: "mark")
      for (index, configuration) in group.enumerated() {
        draw(configuration, style(index), in: &frame)
      }
      return frame.drawing
    }
    return Chart(
      name: "expected-speedup",
      caption: """
        Lines: what pass times measured before the run and the survival of each configuration's drafts \
        make of every draft length. Filled dots: what was measured, at the mean number of drafts that a \
        round verified; rings: what the pass times make of the same rounds. A ring far from its dot means \
        that the cost model is wrong for this machine, or that other programs disturbed the run; both \
        lie above the line where drafts were chosen well, round by round.
        """, drawings: drawings, table: table)
  }

  private static func draw(
    _ configuration: ConfigurationReport, _ style: (color: String, dash: String),
    in frame: inout ChartFrame
  ) {
    frame.drawing.curve(
      [(frame.x(0), frame.y(1))]
        + configuration.expectations.map { (frame.x(Double($0.drafts)), frame.y($0.speedup)) },
      stroke: style.color, dash: style.dash)
    let x = frame.x(configuration.meanVerified)
    if let expected = configuration.expectedSpeedup {
      frame.drawing.circle(
        x: x, y: frame.y(expected), radius: 5, fill: "var(--panel)", stroke: style.color, width: 2,
        hint: "\(configuration.name), expected: \(Figures.fixed(expected, 2))")
    }
    guard let speedup = configuration.speedup else { return }
    if let interval = speedup.interval {
      frame.drawing.line(
        x, frame.y(interval.low), x, frame.y(interval.high), classes: "curve",
        style: "stroke:\(style.color)")
    }
    frame.drawing.circle(
      x: x, y: frame.y(speedup.value), radius: 5, fill: style.color,
      hint: "\(configuration.name), measured: \(TerminalReport.estimate(speedup))")
  }

  static func calibration(_ report: AnalysisReport) -> Chart {
    let configurations = report.configurations.filter { $0.expectedCalibrationError != nil }
    let width = 1 / Double(Reliability.binCount)
    let table = CSVTable(
      ["configuration", "from", "to", "drafts", "accepted", "mean_confidence", "acceptance"],
      configurations.flatMap { configuration in
        configuration.reliability.enumerated().map { index, bin in
          [
            configuration.name, Figures.fixed(Double(index) * width, 2),
            Figures.fixed(Double(index + 1) * width, 2), "\(bin.count)", "\(bin.accepted)",
            bin.count > 0 ? CSVTable.cell(bin.meanConfidence) : "",
            bin.count > 0 ? CSVTable.cell(bin.acceptance) : "",
          ]
        }
      })
    return Chart(
      name: "calibration",
      caption: """
        Drafts by the drafter's own confidence: how many of them the target accepted, of those whose \
        predecessors all were. On the dashed line confidence is what it says; bars below it are \
        overconfident. The number above a bar is its share of the drafts in percent. ECE is the mean \
        distance from the line.
        """, drawings: configurations.map(calibration), table: table)
  }

  private static func calibration(_ configuration: ConfigurationReport) -> SVGDrawing {
    let error = configuration.expectedCalibrationError ?? 0
    var frame = ChartFrame(
      title: SVGDrawing.fitted(
        "Confidence: \(configuration.name), ECE \(Figures.fixed(error, 3))",
        width: SVGDrawing.width * 0.85),
      keys: [], xName: "confidence", yName: "accepted", plotHeight: 180
    ) { left, right, bottom, top in
      (Scale(0...1, start: left, end: right), Scale(0...1, start: bottom, end: top + 16))
    }
    let total = configuration.reliability.reduce(0) { $0 + $1.count }
    let step = 1 / Double(configuration.reliability.count)
    let bins = configuration.reliability.enumerated().filter { $0.element.count > 0 }
    func edges(_ index: Int) -> (x: Double, end: Double) {
      (frame.x(Double(index) * step), frame.x(Double(index + 1) * step))
    }
    for (index, bin) in bins {
      let (x, end) = edges(index)
      let y = frame.y(bin.acceptance)
      frame.drawing.rectangle(
        x: x + 2, y: y, width: end - x - 4, height: frame.y(0) - y, fill: "var(--s0)",
        classes: bin.count < 20 ? "pale" : "",
        hint: "\(bin.accepted) of \(bin.count) accepted, mean confidence "
          + Figures.fixed(bin.meanConfidence, 3))
    }
    frame.drawing.line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), classes: "mark")
    for (index, bin) in bins {
      let (x, end) = edges(index)
      let share = 100 * Double(bin.count) / Double(max(1, total))
      frame.drawing.text(
        share < 1 ? "<1" : Figures.fixed(share, 0), x: (x + end) / 2,
        y: frame.y(bin.acceptance) - 4, anchor: .middle, classes: "soft halo")
    }
    return frame.drawing
  }
}
