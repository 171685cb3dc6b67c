import Files
import Foundation
import Training

/// Makes responses under a progress line.
enum ResponseProgressLine {
  /// Runs `make` and shows what it reports.
  static func show(
    _ make: (_ report: (ResponseProgress) -> Void) throws -> [Response]?
  ) rethrows -> [Response]? {
    let line = ProgressLine("responses", unit: "tokens")
    let start = Stopwatch.now
    var (last, first) = (ResponseProgress(responses: 0, wanted: 0, tokens: 0), Int?.none)
    func detail() -> String {
      let done = last.responses - (first ?? 0)
      let left =
        done > 0 ? (Stopwatch.now - start) / Double(done) * Double(last.wanted - last.responses) : 0
      return "\(last.responses)/\(last.wanted) responses | \(Figures.duration(left)) left"
    }
    let made = try make { progress in
      if first == nil { first = progress.responses - 1 }
      last = progress
      line.update(progress.tokens, detail: detail())
    }
    if last.tokens > 0 { line.finish(last.tokens, detail: detail()) }
    if last.tooLongChats > 0 {
      let count = last.tooLongChats
      Output.note(
        "\(Figures.count(count)) \(count == 1 ? "chat is" : "chats are") longer than "
          + "--longest-prompt: left out\n")
    }
    return made
  }
}
