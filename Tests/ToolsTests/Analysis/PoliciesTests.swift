import Foundation
import Testing

/// `speculate analyze policies`, and `--denoising` where texts are generated.
@Suite struct PoliciesTests {
  private func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private static let given = ["--draft-cost", "0.15", "--verify-cost", "1.3"]

  @Test func `policies are compared on the same texts`() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let prompts = pair.folder.appending(path: "prompts.jsonl")
    try Data(
      (0..<4).map { #"{"prompt":"abcabc\#($0)"}"# }.joined(separator: "\n").utf8
    ).write(to: prompts)
    func run(_ arguments: String...) throws -> CommandResult {
      try CommandProcess(
        ["analyze", "policies", "--prompts", prompts.path, "--max-tokens", "24", "--ignore-end"]
          + Self.given + arguments, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
    }
    let result = try run("--oracle", "--json")
    #expect(result.status == 0)
    // This drafter reads its target's features.
    #expect(result.errors.contains("denoising extend drafts behind drafts"))
    let report = try json(result.output)
    let policies = try #require(report["policies"] as? [[String: Any]])
    #expect(policies.count > 20 && policies[0]["name"] as? String == "one-pass")
    for policy in policies {
      let name = try #require(policy["name"] as? String)
      let tau = try #require(policy["tau"] as? Double)
      let passes = try #require(policy["passes"] as? Double)
      let ratio = try #require((policy["tau_ratio"] as? [String: Any])?["ratio"] as? Double)
      #expect(tau >= 1 && ratio > 0 && passes > 0, "\(name)")
      if name == "one-pass" { #expect(passes <= 1 && ratio == 1) }
    }
    let rows = try #require(report["rows"] as? [String: Any])
    #expect((rows["entropy"] as? [Double])?.allSatisfy { $0 > 0 } == true)
    let oracle = try #require(report["oracle"] as? [String: Any])
    let best = try #require(oracle["best"] as? Double)
    let tau = try #require(oracle["tau"] as? Double)
    #expect(best >= tau)
    #expect(try run("--oracle", "--json").output == result.output)
    let table = try run("--denoising", "left-run:threshold=0", "hex")
    #expect(table.status == 0 && !table.errors.contains("denoising"))
    #expect(table.output.contains("left-run:threshold=0 "))
    #expect(table.output.contains("hex ") && !table.output.contains("dimple"))
  }

  @Test func `formats, practice, tails and categories are reported`() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    func file(_ name: String, _ text: String) throws -> String {
      let url = pair.folder.appending(path: name)
      try Data((0..<3).map { #"{"prompt":"\#(text)\#($0)"}"# }.joined(separator: "\n").utf8)
        .write(to: url)
      return url.path
    }
    let (one, other) = (try file("one.jsonl", "abcabc"), try file("other.jsonl", "bcd bcd"))
    let lessons = try file("lessons.jsonl", "cabbage")
    let page = pair.folder.appending(path: "page")
    let result = try CommandProcess(
      [
        "analyze", "policies", "--prompts", one, other, "--max-tokens", "12", "--ignore-end",
        "--practice", lessons, "--practice-sample", "2", "--drafter-weights", "f32", "int8",
        "--denoising", "filter:width=1", "steps", "--outliers", "--report", page.path,
        "--json",
      ] + Self.given, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    let report = try json(result.output)
    let policies = try #require(report["policies"] as? [[String: Any]])
    #expect(
      policies.compactMap { $0["name"] as? String } == [
        "f32 one-pass", "f32 filter:width=1", "f32 steps", "int8 one-pass",
        "int8 filter:width=1", "int8 steps",
      ])
    #expect(report["practised"] as? Int == 2 && report["texts"] as? Int == 6)
    let categories = try #require(report["categories"] as? [[String: Any]])
    #expect(categories.compactMap { $0["name"] as? String } == ["one", "other"])
    #expect(categories.allSatisfy { $0["texts"] as? Int == 3 })
    let matrices = try #require((report["matrices"] as? [String: Any])?["products"] as? [Any])
    let tails = try #require((report["tails"] as? [String: Any])?["products"] as? [Any])
    #expect(matrices.count > 5 && tails.count > 5)
    let html = try String(contentsOf: page.appending(path: "report.html"), encoding: .utf8)
    for name in ["entropy-by-row", "policies", "order"] {
      #expect(html.contains("<figure id=\"\(name)\""), "\(name)")
      for ending in ["svg", "csv"] {
        #expect(
          FileManager.default.fileExists(atPath: page.appending(path: "\(name).\(ending)").path))
      }
    }
    #expect(html.contains("By category"))
  }

  @Test func `texts are the same however blocks are denoised`() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    func ids(_ options: [String]) throws -> [Int]? {
      let result = try CommandProcess(
        [
          "generate", "--prompt", "abc", "--target", pair.target.path, "--max-tokens", "40",
          "--ignore-end", "--temperature", "1", "--json",
        ] + options
      ).wait()
      #expect(result.errors == "" && result.status == 0)
      return try json(result.output)["ids"] as? [Int]
    }
    let plain = try ids(["--drafter", "none"])
    #expect(plain?.count == 40)
    for policy in ["fast-dllm:threshold=0.5", "left-run:threshold=0,gate=1", "hex", "adablock"] {
      for length in [[], ["--draft-length", "5"]] {
        #expect(
          try ids(["--drafter", pair.drafter.path, "--denoising", policy] + length) == plain)
      }
    }
  }

  @Test func mistakes() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    func error(_ arguments: String...) throws -> String {
      let result = try CommandProcess(
        arguments, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
      ).wait()
      #expect(result.status != 0)
      return result.errors
    }
    #expect(
      try error("generate", "--prompt", "a", "--denoising", "hex:rows=0").contains(
        "denoising hex: rows is \"0\", but must be a whole number from 1 to 64"))
    #expect(
      try error("generate", "--prompt", "a", "--denoising", "extend").contains(
        "denoising extend drafts behind drafts, which a drafter that reads its target's features can't"
      ))
    #expect(
      try error("generate", "--prompt", "a", "--drafter", "suffix", "--denoising", "steps")
        .contains(
          "denoising steps is for block drafters, and there is none"))
    #expect(
      try error("generate", "--prompt", "a", "--drafter", "none", "--denoising", "steps").contains(
        "--denoising belongs to a block drafter"))
    #expect(
      try error("analyze", "policies", "--prompts", "x", "--draft-cost", "1").contains(
        "--draft-cost and --verify-cost belong together: give both or none"))
    #expect(
      try error("analyze", "policies", "--prompts", "x", "--turns", "2").contains(
        "a chat's first turn alone is drafted: leave out --turns"))
    #expect(
      try error("analyze", "policies", "--prompts", "x", "--practice-sample", "2").contains(
        "--practice-sample belongs to --practice: give both"))
    #expect(
      try error("analyze", "policies", "--prompts", "x", "--drafter-weights", "int8", "int8")
        .contains("--drafter-weights names a format twice: name each once"))
    #expect(
      try error("analyze", "policies", "--prompts", "x", "--denoising", "hex", "hex").contains(
        "--denoising names a policy twice: name each once"))
  }
}
