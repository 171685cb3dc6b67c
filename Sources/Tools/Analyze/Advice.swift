import Analysis
import Foundation

/// What to expect of every choice, and which one to take.
struct Advice: Encodable {
  let machine: Machine
  let temperature: Float
  let texts: Int
  /// The format that the target is stored in.
  let stored: String
  let options: [Option]

  /// By this much another way has to be faster than the usual one, which adapts to other prompts.
  private static let margin = 1.02

  /// The choice to take: the fastest, or the usual one where that is hardly slower.
  var best: Option? { best(of: options) }

  private func best(of options: [Option]) -> Option? {
    guard let fastest = options.max(by: { $0.rate < $1.rate }) else { return nil }
    let usual = options.filter { $0.isUsual && $0.format == fastest.format }
      .max { $0.rate < $1.rate }
    guard let usual, usual.rate * Self.margin > fastest.rate else { return fastest }
    return usual
  }

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
    if best.format != stored, let other = self.best(of: options.filter { $0.format == stored }) {
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

  private enum CodingKeys: CodingKey {
    case machine, temperature, texts, stored, options, best
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(machine, forKey: .machine)
    try container.encode(temperature, forKey: .temperature)
    try container.encode(texts, forKey: .texts)
    try container.encode(stored, forKey: .stored)
    try container.encode(options, forKey: .options)
    try container.encode(best, forKey: .best)
  }
}
