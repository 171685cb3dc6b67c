import Files
import Foundation

/// The progress of long work on standard error.
///
/// On a terminal one line is rewritten up to ten times a second. Elsewhere (a log file, a pipe)
/// plain lines appear, at first and then twice a minute. Either way a line reads
/// `label 120/500 tokens | 31.2 tokens/s | 0:12 left | detail`.
package final class ProgressLine {
  private let label: String
  private let unit: String
  private let total: Int?
  private let terminal: Bool
  private let interval: Double
  private let clock: () -> Double
  private let width: () -> Int
  private let write: (String) -> Void
  private let start: Double
  private var shown: Double?
  private var visible = false

  /// Starts the clock.
  ///
  /// - Parameters:
  ///   - label: what is being done, for example `step`.
  ///   - unit: what is counted, in the plural.
  ///   - total: how many there will be, if that is known.
  convenience init(_ label: String, unit: String, total: Int? = nil) {
    self.init(
      label, unit: unit, total: total, terminal: isatty(STDERR_FILENO) == 1,
      width: Output.terminalWidth, clock: { Stopwatch.now }, write: Output.control)
  }

  /// The same with its surroundings given, for tests.
  package init(
    _ label: String, unit: String, total: Int?, terminal: Bool, width: @escaping () -> Int,
    clock: @escaping () -> Double, write: @escaping (String) -> Void
  ) {
    self.label = label
    self.unit = unit
    self.total = total
    self.terminal = terminal
    self.width = width
    self.clock = clock
    self.write = write
    interval = terminal ? 0.1 : 30
    start = clock()
  }

  /// Tells how far the work is; prints only as often as it helps.
  ///
  /// - Parameters:
  ///   - done: how many of the unit are done since the start.
  ///   - detail: what else to show, for example the loss; evaluated only when it is printed.
  package func update(_ done: Int, detail: @autoclosure () -> String = "") {
    let now = clock()
    if let shown, now - shown < interval { return }
    shown = now
    show(text(done, elapsed: now - start, detail: detail()))
  }

  /// Prints the last state; on a terminal the line stays.
  package func finish(_ done: Int, detail: String = "") {
    show(text(done, elapsed: clock() - start, detail: detail))
    if terminal { write("\n") }
    visible = false
  }

  /// Removes the line from a terminal, so that other text can be printed.
  package func clear() {
    if terminal && visible { write("\r\u{1B}[K") }
    visible = false
  }

  /// What there is to show, beside one another.
  static func joined(_ parts: [String?]) -> String {
    parts.compactMap(\.self).joined(separator: " | ")
  }

  private func show(_ line: String) {
    let text = printable(line)
    write(terminal ? "\r\u{1B}[K\(text.prefix(width()))" : "\(text)\n")
    visible = true
  }

  private func text(_ done: Int, elapsed: Double, detail: String) -> String {
    let rate = elapsed > 0 ? Double(done) / elapsed : 0
    var parts: [String?] = [
      total.map { "\(label) \(done)/\($0) \(unit)" } ?? "\(label) \(done) \(unit)"
    ]
    if rate > 0 { parts.append("\(Figures.rate(rate)) \(unit)/s") }
    if let total, rate > 0, done < total {
      parts.append("\(Figures.duration(Double(total - done) / rate)) left")
    } else if elapsed > 0 {
      parts.append(Figures.duration(elapsed))
    }
    return Self.joined(parts + [detail.isEmpty ? nil : detail])
  }
}
