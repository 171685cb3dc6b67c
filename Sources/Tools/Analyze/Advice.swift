import Foundation
import Speculate
import Tensors

/// What to expect of every choice, and which one to take.
struct Advice: Encodable {
  /// One way of decoding.
  struct Option: Encodable {
    /// The drafter's folder; nil for plain decoding.
    var drafter: String?
    var path: String?
    var format: String
    /// Drafts of a block, 0 for plain decoding; nil for as many as pay.
    var drafts: Int?
    /// Mean acceptance length, the bonus token included.
    var tau: Double
    var tokensPerSecond: Double
    /// Over prompts; what the machine does in another minute is not in it.
    var interval: Interval?
    /// Over plain decoding of the same format.
    var speedup: Double

    /// `plain`, `draft 4`, `draft auto`
    var name: String {
      guard drafter != nil else { return "plain" }
      return "draft " + (drafts.map(String.init) ?? "auto")
    }
  }

  let machine: Machine
  let temperature: Float
  let texts: Int
  let options: [Option]

  /// The fastest.
  var best: Option? { options.max { $0.tokensPerSecond < $1.tokensPerSecond } }

  /// The text of the advice; its last lines are the recommendation.
  var lines: [String] {
    let severalDrafters = Set(options.compactMap(\.drafter)).count > 1
    let severalFormats = Set(options.map(\.format)).count > 1
    let greatest = options.map(\.tokensPerSecond).max() ?? 1
    var lines = [
      machine.line,
      "\(Figures.count(texts)) outputs at temperature \(temperature), replayed", "",
    ]
    lines += TextTable.lines(
      ["", "tokens/s", "speed-up", "tau", ""],
      options.map { option in
        var name = option.name
        if severalDrafters, let drafter = option.drafter { name += " \(drafter)" }
        if severalFormats { name += " \(option.format)" }
        let bar = Int((option.tokensPerSecond / greatest * 40).rounded())
        return [
          name, Figures.rate(option.tokensPerSecond), Figures.fixed(option.speedup, 2),
          Figures.fixed(option.tau, 2), "",
        ].dropLast() + [String(repeating: "█", count: max(1, bar))]
      })
    guard let best else { return lines }
    lines.append("")
    var interval = ""
    if let range = best.interval {
      interval = " [\(Figures.rate(range.low)), \(Figures.rate(range.high))]"
    }
    lines.append(
      "recommended: \(best.name), \(best.format), for \(Figures.rate(best.tokensPerSecond))\(interval)"
        + " tokens/s, \(Figures.fixed(best.speedup, 2)) times plain decoding")
    lines.append("  speculate generate \(arguments(best))")
    return lines
  }

  /// The options that run a choice.
  private func arguments(_ option: Option) -> String {
    var words: [String] = []
    if let path = option.path {
      words += ["--drafter", path]
    } else {
      words += ["--drafter", "none"]
    }
    if option.drafter != nil, let drafts = option.drafts {
      words += ["--draft-length", "\(drafts)"]
    }
    if temperature != 0 { words += ["--temperature", "\(temperature)"] }
    return words.joined(separator: " ") + " --prompt …"
  }

  private enum CodingKeys: CodingKey {
    case machine, temperature, texts, options, best
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(machine, forKey: .machine)
    try container.encode(temperature, forKey: .temperature)
    try container.encode(texts, forKey: .texts)
    try container.encode(options, forKey: .options)
    try container.encode(best, forKey: .best)
  }
}

extension Advice.Option {
  /// An option from what each output would have taken.
  init(
    _ length: DraftLength, _ terms: [(tokens: Double, seconds: Double, rounds: Double)],
    drafter: String, path: String, format: String, plain: Double
  ) {
    let tokens = terms.reduce(0) { $0 + $1.tokens }
    let rate = tokens / terms.reduce(0) { $0 + $1.seconds }
    var drafts: Int?
    if case .fixed(let count) = length { drafts = count }
    self.init(
      drafter: drafter, path: path, format: format, drafts: drafts,
      tau: tokens / terms.reduce(0) { $0 + $1.rounds }, tokensPerSecond: rate,
      interval: Bootstrap().interval(ofRatio: terms.map { ($0.tokens, $0.seconds) }),
      speedup: rate / plain)
  }
}

extension Advice {
  /// Writes the curve as SVG and CSV.
  ///
  /// - Throws: `SpeculateError` when a file can't be written.
  func write(to path: String) throws {
    let folder = URL(filePath: path, directoryHint: .isDirectory)
    var table = CSVTable([
      "drafter", "format", "drafts", "tau", "tokens_per_second", "low", "high", "speedup",
    ])
    for option in options {
      table.add(
        [
          option.drafter ?? "", option.format, option.drafts.map(String.init) ?? "auto",
          CSVTable.cell(option.tau), CSVTable.cell(option.tokensPerSecond),
        ] + CSVTable.cells(option.interval) + [CSVTable.cell(option.speedup)])
    }
    try AtomicFile.write(Data(table.text.utf8), to: folder.appending(path: "advice.csv"))
    try AtomicFile.write(Data(drawing.file.utf8), to: folder.appending(path: "advice.svg"))
  }

  /// Tokens per second by draft length, a line for each drafter and format.
  private var drawing: SVGDrawing {
    struct Line {
      var name: String
      var plain: Double
      var points: [Option]
      var adaptive: Option?
    }
    var lines: [Line] = []
    for option in options {
      guard let drafter = option.drafter else { continue }
      let name = "\(drafter), \(option.format)"
      if lines.last?.name != name {
        lines.append(Line(name: name, plain: option.tokensPerSecond / option.speedup, points: []))
      }
      if option.drafts == nil {
        lines[lines.count - 1].adaptive = option
      } else {
        lines[lines.count - 1].points.append(option)
      }
    }
    let longest = lines.map(\.points.count).max() ?? 1
    let greatest = options.map { max($0.tokensPerSecond, $0.interval?.high ?? 0) }.max() ?? 1
    let keys = lines.enumerated().map {
      let style = Chart.style($0)
      return ChartFrame.Key(name: $1.name, color: style.color, dash: style.dash)
    }
    var frame = ChartFrame(
      title: "Expected tokens per second", keys: keys, xName: "drafts of a block (0: plain)",
      yName: "tokens/s", xTicks: (0...longest).map { (Double($0), "\($0)") }
    ) { left, right, bottom, top in
      (
        Scale(places: 0...longest, start: left + 10, end: right - 10),
        Scale(0...greatest, start: bottom, end: top)
      )
    }
    for (index, line) in lines.enumerated() {
      let style = Chart.style(index)
      let banded = line.points.filter { $0.interval != nil }
      func edge(_ end: (Interval) -> Double) -> [(Double, Double)] {
        banded.compactMap { option in
          option.interval.map { (frame.x(Double(option.drafts ?? 0)), frame.y(end($0))) }
        }
      }
      frame.drawing.band(upper: edge(\.high), lower: edge(\.low), fill: style.color)
      frame.drawing.curve(
        [(frame.x(0), frame.y(line.plain))]
          + line.points.map { (frame.x(Double($0.drafts ?? 0)), frame.y($0.tokensPerSecond)) },
        stroke: style.color, dash: style.dash)
      for option in line.points where option.tokensPerSecond == best?.tokensPerSecond {
        frame.drawing.circle(
          x: frame.x(Double(option.drafts ?? 0)), y: frame.y(option.tokensPerSecond), radius: 5,
          fill: style.color, hint: option.name)
      }
      guard let adaptive = line.adaptive else { continue }
      let y = frame.y(adaptive.tokensPerSecond)
      frame.drawing.line(
        frame.x(0), y, frame.x(Double(longest)), y, classes: "mark",
        style: "stroke:\(style.color)")
      frame.drawing.text(
        "as many as pay", x: frame.x(Double(longest)), y: y - 4, anchor: .end, classes: "soft")
    }
    return frame.drawing
  }
}
