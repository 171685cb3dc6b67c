import Files
import Foundation

/// What a training run has done so far, as a page: `report.html` in its folder.
struct TrainingReport {
  var title: String
  /// What was trained on what, a line each.
  var facts: [String]
  var unit: String

  /// Points of a curve at most; more are averaged.
  private static let resolution = 300

  /// Writes the page while the run goes on, which a full disk is not to end; ``write(to:)`` at its end
  /// says what is wrong.
  func update(in folder: URL) { try? write(to: folder) }

  /// Writes the page from the run's log, all or nothing.
  ///
  /// - Throws: When the log can't be read or the page can't be written.
  func write(to folder: URL) throws {
    let curves = try TrainingCurves(folder: folder)
    let samples = try TrainingSamples(folder: folder)
    let page = ReportPage.html(
      title: title,
      parts: [
        heading(curves), ReportPage.figures(charts(curves)), Self.evaluations(curves),
        Self.forcings(curves), samples.markup,
      ])
    try AtomicFile.write(Data(page.utf8), to: folder.appending(path: "report.html"))
  }

  private func heading(_ curves: TrainingCurves) -> String {
    var facts = facts
    if let last = curves(.loss).last, let seconds = curves(.seconds).last {
      facts.append(
        "\(Figures.count(Int(last.step))) steps in \(Figures.duration(seconds.value)), loss "
          + Figures.fixed(last.value, 3))
    }
    if let best = curves.best {
      facts.append(
        "best of the evaluated drafters: step \(Figures.count(Int(best.step))), τ "
          + Figures.fixed(best.value, 2))
    }
    return """
      <h1>\(Markup.escaped(title))</h1>
      <p class="soft">\(facts.map(Markup.escaped).joined(separator: "<br>"))</p>
      """
  }

  private static func evaluations(_ curves: TrainingCurves) -> String {
    guard let widest = curves.evaluations.map(\.survival.count).max(), widest > 0 else { return "" }
    let rows = spread(8, of: curves.evaluations).map { evaluation -> [Cell] in
      let lengths = [
        evaluation.acceptanceLength, evaluation.looplessAcceptanceLength, evaluation.generated,
      ]
      return [Cell(Figures.count(evaluation.step))]
        + lengths.map { Cell($0.map { Figures.fixed($0, 2) } ?? "") }
        + evaluation.survival.map { Cell(Figures.fixed(100 * $0, 1)) }
    }
    let loops = curves.evaluations.last?.loopShare.map {
      " \(Figures.fixed(100 * $0, 1)) % of the answers end in a loop, at whose second period they are cut."
    }
    return """
      <h2>Held-out acceptance</h2>
      \(Cell.table(
        ["step", "mean acceptance length τ", "without loops", "generated"]
          + (1...widest).map { "draft \($0), %" }, rows))
      <p class="soft">By the engine that serves, along the target's own answers to held-out prompts, with \
      full blocks and no other drafts; after the last step it also generates the answers, token by \
      token the same. τ is the tokens of a target pass, the bonus token included; a draft counts as accepted \
      with all before it.\(loops ?? "")</p>
      """
  }

  private static func forcings(_ curves: TrainingCurves) -> String {
    guard !curves.forcings.isEmpty else { return "" }
    let rows = spread(8, of: curves.forcings).map { forcing -> [Cell] in
      [
        Cell(forcing.step == 0 ? "the target" : Figures.count(forcing.step)),
        Cell(Figures.fixed(forcing.bitsPerByte, 4)), Cell(Figures.fixed(forcing.bitsPerToken, 3)),
      ]
        + [forcing.plain, forcing.full].flatMap {
          [Cell(Figures.fixed($0.all, 2)), Cell(Figures.fixed($0.loopless, 2))]
        }
    }
    return """
      <h2>Held-out text and passes</h2>
      \(Cell.table(
        [
          "step", "bits a byte", "bits a token", "plain Jacobi", "without loops", "all",
          "without loops",
        ], rows))
      <p class="soft">By the engine that serves. Tokens a pass of greedy Jacobi decoding on held-out \
      prompts: plain has one block and nothing beside it; all has two blocks, recycling and matches of \
      earlier text. Outputs that end in a loop flatter all of it.</p>
      """
  }

  private static func points(
    _ curves: TrainingCurves, _ value: (TrainingCurves.Forcing) -> Double
  ) -> [TrainingCurves.Point] {
    curves.forcings.map { TrainingCurves.Point(step: Double($0.step), value: value($0)) }
  }

  private static func points(
    _ curves: TrainingCurves, _ value: (TrainingCurves.Evaluation) -> Double?
  ) -> [TrainingCurves.Point] {
    curves.evaluations.compactMap { evaluation in
      value(evaluation).map { TrainingCurves.Point(step: Double(evaluation.step), value: $0) }
    }
  }

  private func charts(_ curves: TrainingCurves) -> [Chart] {
    [
      Self.chart(
        "loss", "Loss", "Mean over the steps since the last line of the log.", yName: "nats",
        [
          ("training", curves(.loss)), ("held out", curves(.heldoutLoss)),
          ("clean rows", curves(.cleanLoss)), ("noisy rows", curves(.noisyLoss)),
        ]),
      Self.chart(
        "acceptance", "Mean acceptance length", "On held-out prompts, the bonus token included.",
        yName: "tokens of a target pass",
        [
          ("held out", Self.points(curves) { $0.acceptanceLength }),
          ("without loops", Self.points(curves) { $0.looplessAcceptanceLength }),
        ]), Self.positions(curves), Self.places(curves),
      Self.chart(
        "bits", "Held-out text", "Step 0 is the target that training started from.",
        yName: "bits a byte", [("held out", Self.points(curves) { $0.bitsPerByte })]),
      Self.chart(
        "passes", "Jacobi decoding of held-out prompts",
        "Plain has one block and nothing beside it; all has two blocks, recycling and earlier text.",
        yName: "tokens a pass",
        [
          ("plain", Self.points(curves) { $0.plain.all }),
          ("plain, without loops", Self.points(curves) { $0.plain.loopless }),
          ("all", Self.points(curves) { $0.full.all }),
          ("all, without loops", Self.points(curves) { $0.full.loopless }),
        ]),
      Self.chart(
        "rate", "Learning rate", "Of the last step before the line of the log.", yName: "",
        [("learning rate", curves(.rate))]),
      Self.chart(
        "gradient", "Gradient norm",
        "Before clipping. Peaks before a rising loss mean a rate too high.",
        yName: "", [("norm", curves(.gradientNorm))]),
      Self.chart(
        "speed", "Speed", "Dips are other programs, evaluations or the first visits of sequences.",
        yName: "\(unit) a second",
        [("speed", curves(.tokensPerSecond) + curves(.anchorsPerSecond) + curves(.rowsPerSecond))]),
    ].compactMap { $0 }
  }

  /// Curves over steps; `nil` when none has two points.
  private static func chart(
    _ name: String, _ title: String, _ caption: String, yName: String,
    _ series: [(name: String, points: [TrainingCurves.Point])]
  ) -> Chart? {
    let shown = series.map { ($0.name, averaged($0.points)) }.filter { $0.1.count > 1 }
    let all = shown.flatMap(\.1)
    guard let last = all.map(\.step).max(), let low = all.map(\.value).min(),
      let high = all.map(\.value).max()
    else { return nil }
    // Numbers below a hundredth would all be written 0.00.
    let digits = high > 0 && high < 0.05 ? Int((-log10(high)).rounded(.up)) : 0
    let factor = pow(10, Double(digits))
    var frame = ChartFrame(
      title: title, keys: shown.count > 1 ? Chart.keys(shown.map(\.0)) : [], xName: "step",
      yName: digits > 0 ? "× 10⁻\(superscript(digits)) \(yName)" : yName
    ) { left, right, bottom, top in
      (
        Scale(0...last, start: left, end: right - 16),
        Scale((min(low, 0.8 * low) * factor)...(high * factor), start: bottom, end: top)
      )
    }
    for (index, curve) in shown.enumerated() {
      let style = Chart.style(index)
      frame.drawing.curve(
        curve.1.map { (frame.x($0.step), frame.y($0.value * factor)) }, stroke: style.color,
        dash: style.dash)
      guard curve.1.count <= 30 else { continue }
      for point in curve.1 {
        frame.drawing.circle(
          x: frame.x(point.step), y: frame.y(point.value * factor), radius: 3.5, fill: style.color,
          hint: "step \(Int(point.step)): \(Figures.fixed(point.value, 3))")
      }
    }
    return Chart(
      name: name, caption: caption, drawings: [frame.drawing],
      table: table(series.filter { !$0.points.isEmpty }))
  }

  /// Acceptance by position, of up to four evaluations from the first to the last.
  private static func positions(_ curves: TrainingCurves) -> Chart? {
    let all = curves.evaluations.filter { !$0.survival.isEmpty }
    guard let longest = all.map(\.survival.count).max() else { return nil }
    let chosen = spread(4, of: all)
    var frame = ChartFrame(
      title: "Acceptance by draft position",
      keys: Chart.keys(chosen.map { "step \(Figures.count($0.step))" }), xName: "draft",
      yName: "% accepted", places: 1...longest, greatest: 100)
    for (index, evaluation) in chosen.enumerated() {
      frame.drawing.curve(
        evaluation.survival.enumerated().map { (frame.x(Double($0 + 1)), frame.y(100 * $1)) },
        stroke: Chart.style(index).color, dash: Chart.style(index).dash)
    }
    return Chart(
      name: "positions", caption: "A draft counts as accepted with all before it.",
      drawings: [frame.drawing],
      table: table(
        chosen.map { evaluation in
          (
            "step \(evaluation.step)",
            evaluation.survival.enumerated().map {
              TrainingCurves.Point(step: Double($0 + 1), value: $1)
            }
          )
        }))
  }

  /// Acceptance over the steps, of as many places of a block as have different colours.
  private static func places(_ curves: TrainingCurves) -> Chart? {
    guard let longest = curves.evaluations.map(\.survival.count).max(), longest > 0 else {
      return nil
    }
    return chart(
      "places", "Acceptance of a block's drafts", "A draft counts as accepted with all before it.",
      yName: "% accepted",
      spread(ChartTheme.seriesCount, of: Array(0..<longest)).map { place in
        (
          "draft \(place + 1)",
          points(curves) { $0.survival.indices.contains(place) ? 100 * $0.survival[place] : nil }
        )
      })
  }

  /// A number of elements from the first to the last.
  private static func spread<Element>(_ count: Int, of all: [Element]) -> [Element] {
    Set((0..<count).map { $0 * (all.count - 1) / (count - 1) }).sorted().map { all[$0] }
  }

  private static func table(
    _ series: [(name: String, points: [TrainingCurves.Point])]
  ) -> CSVTable {
    CSVTable(
      ["curve", "step", "value"],
      series.flatMap { name, points in
        points.map { [name, CSVTable.cell($0.step), CSVTable.cell($0.value)] }
      })
  }

  /// At most ``resolution`` points, means of neighbours.
  private static func averaged(_ points: [TrainingCurves.Point]) -> [TrainingCurves.Point] {
    let size = (points.count + resolution - 1) / resolution
    guard size > 1 else { return points }
    return stride(from: 0, to: points.count, by: size).map { start in
      let piece = points[start..<min(start + size, points.count)]
      return TrainingCurves.Point(
        step: piece.reduce(0) { $0 + $1.step } / Double(piece.count),
        value: piece.reduce(0) { $0 + $1.value } / Double(piece.count))
    }
  }

  private static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return String("\(number)".compactMap { $0.wholeNumberValue.map { digits[$0] } })
  }
}
