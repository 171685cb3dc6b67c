import Analysis

extension Chart {
  /// Rounds by how many drafts were accepted, on a logarithmic axis.
  static func histogram(_ report: AnalysisReport) -> Chart {
    let configurations = report.configurations.filter(\.drafts)
    let table = CSVTable(
      ["configuration", "accepted", "rounds", "whole_blocks"],
      configurations.flatMap { configuration in
        zip(configuration.acceptanceHistogram, configuration.wholeBlocks).enumerated().map {
          [configuration.name, "\($0)", "\($1.0)", "\($1.1)"]
        }
      })
    return Chart(
      name: "acceptance-histogram",
      caption: """
        Rounds that drafted, by the number of drafts accepted, the bonus token not counted. The axis is \
        logarithmic: a straight fall is a constant chance of acceptance, and bars that rise again \
        towards the end are the resurgence of long blocks. Rounds in which every draft was accepted \
        stand apart in colour: a longer block might have gone on.
        """, drawings: configurations.map(histogram), table: table)
  }

  private static func histogram(_ configuration: ConfigurationReport) -> SVGDrawing {
    let counts = configuration.acceptanceHistogram
    var frame = ChartFrame(
      title: SVGDrawing.fitted(
        "Drafts accepted in a round: \(configuration.name)", width: SVGDrawing.width * 0.85),
      keys: [
        .init(name: "ended by a rejection", color: "var(--s0)", isArea: true),
        .init(name: "every draft accepted", color: "var(--s1)", isArea: true),
      ], xName: "drafts accepted", yName: "rounds", plotHeight: 150,
      xTicks: counts.indices.map { (Double($0), "\($0)") }
    ) { left, right, bottom, top in
      let half = (right - left) / Double(counts.count) / 2
      return (
        Scale(places: 0...counts.count - 1, start: left + half, end: right - half),
        Scale(countsUpTo: counts.max() ?? 1, start: bottom, end: top)
      )
    }
    let apart = counts.count > 1 ? frame.x(1) - frame.x(0) : (frame.x(0) - 44) * 2
    let width = min(40, apart * 0.75)
    let bottom = frame.y(0)
    for (accepted, count) in counts.enumerated() where count > 0 {
      let whole = configuration.wholeBlocks[accepted]
      let x = frame.x(Double(accepted)) - width / 2
      // The taller part of a logarithmic bar is the smaller share, so the parts stand side by side.
      let parts = [(count - whole, "var(--s0)", "rejected"), (whole, "var(--s1)", "whole")]
        .filter { $0.0 > 0 }
      for (index, part) in parts.enumerated() {
        let share = width / Double(parts.count)
        frame.drawing.rectangle(
          x: x + Double(index) * share, y: frame.y(Double(part.0)), width: share,
          height: bottom - frame.y(Double(part.0)), fill: part.1,
          hint: "\(accepted) accepted, \(part.2): \(part.0) rounds")
      }
    }
    return frame.drawing
  }

  /// The chance of a draft once all before it were accepted.
  static func conditional(_ report: AnalysisReport) -> Chart {
    byPlace(
      report, name: "acceptance-by-position", title: "Acceptance by draft position",
      caption: """
        The share of drafts at each position that were accepted once all before them were, with \
        confidence bands. A level line means that drafts do not get worse along the block; positions \
        that few rounds reach have wide bands.
        """, value: \.conditionalRate, interval: \.conditionalInterval)
  }

  /// The chance that at least so many drafts are accepted.
  static func survival(_ report: AnalysisReport) -> Chart {
    byPlace(
      report, name: "survival", title: "Survival",
      caption: """
        The chance that at least so many drafts of a block are accepted, if that many are verified \
        (Kaplan and Meier). The area under a curve, plus one for the bonus token, is the mean \
        acceptance length of full blocks.
        """, value: \.survival, interval: \.survivalInterval)
  }

  private static func byPlace(
    _ report: AnalysisReport, name: String, title: String, caption: String,
    value: KeyPath<ConfigurationReport.Place, Double>,
    interval: KeyPath<ConfigurationReport.Place, Interval?>
  ) -> Chart {
    let configurations = report.configurations.filter { !$0.places.isEmpty }
    let table = CSVTable(
      ["configuration", "position", "judged", "reached", "accepted", "value", "low", "high"],
      configurations.flatMap { configuration in
        configuration.places.map { place in
          [
            configuration.name, "\(place.place)", "\(place.judged)", "\(place.reached)",
            "\(place.accepted)", CSVTable.cell(place[keyPath: value]),
          ] + CSVTable.cells(place[keyPath: interval])
        }
      })
    let drawings = groups(configurations).map { group in
      var frame = ChartFrame(
        title: title, keys: keys(group.map(\.name)), xName: "draft position", yName: "chance",
        places: 1...(group.map(\.places.count).max() ?? 1), greatest: 1)
      for (index, configuration) in group.enumerated() {
        // A place without an interval ends the band, not the line.
        let banded = configuration.places.prefix { $0[keyPath: interval] != nil }
        func points(_ number: (ConfigurationReport.Place) -> Double) -> [(Double, Double)] {
          banded.map { (frame.x(Double($0.place)), frame.y(number($0))) }
        }
        frame.drawing.band(
          upper: points { $0[keyPath: interval]?.high ?? 0 },
          lower: points { $0[keyPath: interval]?.low ?? 0 }, fill: style(index).color)
      }
      for (index, configuration) in group.enumerated() {
        let style = style(index)
        let reached = configuration.places.filter { $0.reached > 0 }
        frame.drawing.curve(
          reached.map { (frame.x(Double($0.place)), frame.y($0[keyPath: value])) },
          stroke: style.color, dash: style.dash)
        for place in reached {
          frame.drawing.circle(
            x: frame.x(Double(place.place)), y: frame.y(place[keyPath: value]), radius: 3,
            fill: style.color,
            hint: "\(configuration.name), position \(place.place): "
              + TerminalReport.estimate(
                .init(value: place[keyPath: value], interval: place[keyPath: interval])))
        }
      }
      return frame.drawing
    }
    return Chart(name: name, caption: caption, drawings: drawings, table: table)
  }
}
