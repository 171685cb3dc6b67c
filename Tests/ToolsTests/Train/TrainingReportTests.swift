import Foundation
import FoundationXML
import Testing

/// The page of a training run.
@Suite struct TrainingReportTests {
  private func run(_ pair: TinyPair, steps: Int) throws -> String {
    let output = pair.folder.appending(path: "out")
    let flags = [
      "--heldout", pair.folder.appending(path: "prompts.jsonl").path, "--responses", "12",
      "--layers", "1", "--block-size", "4", "--mask-token", "\(TinyTokenizer.mask)",
      "--draft-vocabulary", "50", "--steps", "\(steps)", "--evaluate-every", "4",
      "--evaluation-length", "20", "--log-every", "1", "--save-best", "--output", output.path,
    ]
    let result = try CommandProcess(["distill"] + pair.promptFlags() + flags).wait()
    #expect(result.status == 0, "\(result.errors)")
    conclusion(result.errors, output)
    return try String(contentsOf: output.appending(path: "report.html"), encoding: .utf8)
  }

  /// What is said at the end: the acceptance of replay and engine, and where the best drafter is.
  private func conclusion(_ errors: String, _ output: URL) {
    #expect(
      errors.contains(/(?m)^the drafter is in \S+, its curves and samples in report\.html$/))
    #expect(
      errors.contains(
        /(?m)^held out: tau (\d\.\d\d) replayed, \1 generated \| without loops (\d\.\d\d|none) replayed, \2 generated \| \d of 8 answers end in a loop$/
      ), "\(errors)")
    #expect(
      errors.contains(
        /(?m)^the best of the evaluated drafters, of step \d+ with tau \d\.\d\d, is in \S+\/best$/),
      "\(errors)")
    #expect(
      FileManager.default.fileExists(atPath: output.appending(path: "best/config.json").path))
  }

  @Test func curvesAreThoseOfTheLog() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let page = try run(pair, steps: 12)
    #expect(!page.contains("http") && !page.contains("<script") && !page.contains("url("))
    for name in ["loss", "acceptance", "positions", "places", "rate", "gradient", "speed"] {
      #expect(page.contains("<figure id=\"\(name)\">"), "\(name)")
    }
    for drawing in page.matches(of: /(?s)<svg.*?<\/svg>/) {
      #expect(XMLParser(data: Data(drawing.0.utf8)).parse())
    }
    #expect(page.contains("best of the evaluated drafters: step "))
    let samples = try #require(page.firstRange(of: "<h2>Held-out prompts</h2>"))
    let sections = page[samples.upperBound...].matches(of: /(?s)<pre>(.*?)<\/pre>/)
    #expect(sections.count == 4 && page[samples.upperBound...].contains("of step 12 drafts it"))
    #expect(sections.allSatisfy { $0.1.contains("abc") })
    #expect(sections.contains { $0.1.contains("<span class=\"lost\">") })
    #expect(sections.allSatisfy { $0.1.contains("<span class=\"own\">") })
    #expect(
      page.contains("12 steps in ") && page.contains(">step 4<") && page.contains(">step 12<"))

    // After a crash the log has steps that are taken again, and half a line.
    let log = pair.folder.appending(path: "out/metrics.jsonl")
    let lines = try String(contentsOf: log, encoding: .utf8)
    let wild = #"{"step":9,"loss":1e9,"seconds":1}\n{"step":10,"loss":1e9,"seconds":1}\n"#
    let parts = lines.split(separator: "\n")
    let crashed =
      parts[..<8].joined(separator: "\n") + "\n" + wild + #"{"step":11,"lo"# + "\n"
      + parts[8...].joined(separator: "\n") + "\n"
    try Data(crashed.utf8).write(to: log)
    #expect(try run(pair, steps: 12) == page)
  }
}
