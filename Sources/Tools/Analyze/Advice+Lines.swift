import Analysis
import Files

extension Advice {
  /// The text of the advice; its last lines are the recommendation.
  var lines: [String] {
    let severalFormats = Set(options.map(\.format)).count > 1
    let greatest = options.map(\.rate).max() ?? 1
    var lines = [
      machine.line,
      "\(Figures.count(texts)) outputs at temperature \(temperature), replayed; * was run as well",
      "",
    ]
    lines += TextTable.lines(
      ["", "tokens/s", "speed-up", "tau", ""],
      options.map { option in
        let bar = Int((option.rate / greatest * 40).rounded())
        return [
          option.name + (severalFormats ? " \(option.format)" : "")
            + (option.trial == nil ? "" : " *"), Figures.rate(option.rate),
          Figures.fixed(option.speedup, 2), Figures.fixed(option.tau, 2),
          String(repeating: "█", count: max(1, bar)),
        ]
      })
    guard let best else { return lines }
    lines += [""] + recommendation(best, title: "recommended")
    if best.format != stored, let other = Self.best(of: options.filter { $0.format == stored }) {
      lines.append("  \(best.format) gives other text than \(stored), in which the model is stored")
      lines += recommendation(other, title: "with the text of \(stored)")
    }
    return lines
  }

  private func recommendation(_ option: Option, title: String) -> [String] {
    var interval = ""
    if let range = option.interval {
      interval = " [\(Figures.rate(range.low)), \(Figures.rate(range.high))]"
    }
    let plain = option.rate / option.speedup
    return [
      "\(title): \(option.name), \(option.format)",
      "expected: \(Figures.rate(option.rate))\(interval) tokens/s, "
        + "\(Figures.fixed(option.speedup, 2)) times plain decoding's \(Figures.rate(plain))",
      "  \(option.command)",
    ]
  }
}
