import Analysis
import Files
import Foundation

extension Advice {
  /// Writes the curve as SVG and CSV.
  ///
  /// - Throws: `SpeculateError` when a file can't be written.
  func write(to path: String) throws {
    let folder = URL(filePath: path, directoryHint: .isDirectory)
    let table = CSVTable(
      [
        "name", "format", "drafts", "tau", "tokens_per_second", "low", "high", "speedup",
        "measured", "command",
      ],
      options.map { option in
        [
          option.name, option.format, option.drafts.map(String.init) ?? "",
          CSVTable.cell(option.tau), CSVTable.cell(option.rate),
        ] + CSVTable.cells(option.interval)
          + [CSVTable.cell(option.speedup), CSVTable.cell(option.trial?.rate), option.command]
      })
    try AtomicFile.write(Data(table.text.utf8), to: folder.appending(path: "advice.csv"))
    try AtomicFile.write(Data(drawing.file.utf8), to: folder.appending(path: "advice.svg"))
  }

  private struct Line {
    var name: String
    /// By draft length, or one for all lengths.
    var points: [Option]

    var isLevel: Bool { points[0].drafts == nil }
  }

  /// Fixed lengths of a drafter as curves, everything else level.
  private var chartLines: [Line] {
    let severalFormats = Set(options.map(\.format)).count > 1
    var lines: [Line] = []
    for option in options where option.way != .plain {
      var name = option.name
      if let drafts = option.drafts {
        name = name.replacing(" \(drafts)", with: "", maxReplacements: 1) + ", fixed"
      }
      if severalFormats { name += " \(option.format)" }
      if option.drafts != nil, let index = lines.firstIndex(where: { $0.name == name }) {
        lines[index].points.append(option)
      } else {
        lines.append(Line(name: name, points: [option]))
      }
    }
    return lines
  }

  private var drawing: SVGDrawing {
    let lines = chartLines
    let longest = options.compactMap(\.drafts).max() ?? 1
    let greatest = options.map { max($0.rate, $0.interval?.high ?? 0) }.max() ?? 1
    var frame = ChartFrame(
      title: "Expected tokens per second", keys: Chart.keys(lines.map(\.name)),
      xName: "drafts of a block (0: plain)", yName: "tokens/s", places: 0...longest,
      greatest: greatest)
    for (index, line) in lines.enumerated() {
      let style = Chart.style(index)
      let points = line.isLevel ? [line.points[0], line.points[0]] : line.points
      let places = line.isLevel ? [0, longest] : line.points.compactMap(\.drafts)
      func curve(_ height: (Option) -> Double) -> [(Double, Double)] {
        zip(places, points).map { (frame.x(Double($0)), frame.y(height($1))) }
      }
      if points.allSatisfy({ $0.interval != nil }), !line.isLevel {
        frame.drawing.band(
          upper: curve { $0.interval?.high ?? $0.rate },
          lower: curve { $0.interval?.low ?? $0.rate }, fill: style.color)
      }
      frame.drawing.curve(curve(\.rate), stroke: style.color, dash: style.dash)
    }
    for plain in options where plain.way == .plain {
      frame.drawing.circle(
        x: frame.x(0), y: frame.y(plain.rate), radius: 4, fill: "var(--plain)", hint: plain.name)
    }
    if let best {
      let index = lines.firstIndex { $0.points.contains { $0.command == best.command } } ?? 0
      frame.drawing.circle(
        x: frame.x(Double(best.drafts ?? longest)), y: frame.y(best.rate), radius: 5,
        fill: Chart.style(index).color, hint: "recommended: \(best.name)")
    }
    return frame.drawing
  }
}

extension Advice.Option {
  /// Drafts of a block; nil where the number changes.
  var drafts: Int? {
    switch way {
    case .plain: 0
    case .jacobi: nil
    case .draft(let drafting): drafting.length
    }
  }
}
