import Analysis
import Files
import Foundation
import Speculate
import TestSupport
import Testing
import Text

/// Traces are read as they were written, or refused with the reason.
@Suite struct TraceTests {
  static let header = TraceHeader(
    machine: Machine(threads: 1),
    configurations: [
      TraceConfiguration(
        name: "plain", target: "/t", decoder: "plain", format: "bf16", maximumTokens: 8),
      TraceConfiguration(
        name: "draft auto", target: "/t", drafter: "/d", decoder: "drafter", maximumDrafts: 3,
        draftChoice: .coupled, format: "bf16",
        sampling: SamplingParameters(temperature: 0.7, topP: 0.9, seed: .max), maximumTokens: 8,
        baseline: "plain",
        cost: CostModel(
          verify: PassTimes([(1, 1e-3), (4, 1.25e-3)]), draft: PassTimes([(1, 2e-4)]))),
    ], plan: "abc")

  static let rounds = [
    RoundRecord(
      position: 3, origin: .drafter, drafted: 3, passDrafts: 3, drafts: [70, 71, 72],
      confidences: [0.5, 0.25, 0.125], tokens: [70, 90], probabilities: [0.75, 0.5], accepted: 1,
      rejection: .init(
        probability: 0.0625, draft: [.init(token: 71, probability: 0.25)],
        target: [.init(token: 90, probability: 0.5), .init(token: 199, probability: 0.25)]),
      rows: 4, seconds: .init(draft: 12.5e-6, verify: 1e-3, sampling: 3e-6, other: 0.5e-6)),
    RoundRecord(
      position: 5, origin: .drafter, drafted: 4, passDrafts: 2, drafts: [1, 5, 6, 7],
      origins: [.suffix, .drafter, .drafter, .jacobi], confidences: [nil, 0.75, 0.5, nil],
      parents: [-1, -1, 1, 2],
      tokens: [5, 6], probabilities: [1, 1], accepted: 2, rows: 5,
      seconds: .init(draft: 0, verify: 1e-3, sampling: 0, other: 0)),
  ]

  static let unit = TraceUnit(
    prompts: [
      TracePrompt(number: 0, task: 0, category: "a \"b\"", place: "p.jsonl line 1", ids: [1, 2, 3])
    ],
    entries: [
      TraceEntry(
        configuration: 1, prompt: 0, repetition: 0,
        generation: TracedGeneration(
          promptTokens: 3, rounds: rounds, finishReason: .endToken, prefillSeconds: 1.5e-3)),
      TraceEntry(
        configuration: 0, prompt: 0, repetition: 1,
        generation: TracedGeneration(
          promptTokens: 3,
          rounds: [
            RoundRecord(
              position: 3, tokens: [70], probabilities: [0.75], rows: 1,
              seconds: .init(verify: 1e-3, sampling: 0, other: 0))
          ], finishReason: .length, prefillSeconds: 0)),
    ])

  /// A folder with a tokenizer, and a trace of two units in it.
  private func withTrace(_ name: String, _ body: (URL) throws -> Void) throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.url
    try temporary.write(
      SentencePieceModelBuilder(words: ["\u{2581}"], extra: [("<mask>", .control)]).data,
      to: "tokenizer.model")
    let url = folder.appending(path: name)
    let writer = try TraceWriter(
      url: url, header: Self.header, tokenizer: TokenizerLoader.load(directory: folder))
    try writer.write(Self.unit)
    var second = Self.unit
    second.prompts[0].number = 7
    for index in second.entries.indices { second.entries[index].prompt = 7 }
    try writer.write(second)
    #expect(!FileManager.default.fileExists(atPath: url.path))
    #expect(try Trace.read(writer.partial).units.count == 2)
    try writer.finish()
    #expect(!FileManager.default.fileExists(atPath: writer.partial.path))
    try body(url)
  }

  /// A second writer would write over what the first one writes.
  @Test func aTraceHasOneWriter() throws {
    try withTrace("t.jsonl") { url in
      let other = url.deletingLastPathComponent().appending(path: "other.jsonl")
      let tokenizer = try TokenizerLoader.load(directory: url.deletingLastPathComponent())
      let first = try TraceWriter(url: other, header: Self.header, tokenizer: tokenizer)
      let expected = SpeculateError(
        "\(other.path): process \(getpid()) is writing it; wait for that one or give another ‘trace’"
      )
      #expect(throws: expected) {
        try TraceWriter(url: other, header: Self.header, tokenizer: tokenizer)
      }
      #expect(throws: expected) { try TraceWriter.claim(other) }
      try first.write(Self.unit)
      try first.finish()
      #expect(try Trace.read(other).units == [Self.unit])
    }
  }

  /// The path of weights and the time they were written say nothing; their content does.
  @Test func fingerprintsAreOfContent() throws {
    let temporary = try TemporaryFolder()
    func folder(_ name: String, values: [Float], configuration: String = "{}") throws -> URL {
      let folder = temporary.url.appending(path: name)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(configuration.utf8).write(to: folder.appending(path: "config.json"))
      try SafetensorsWriter.write(
        [
          SafetensorsWriter.Entry(name: "w", shape: [values.count], type: .f32) { sink in
            try values.withUnsafeBytes { try sink($0) }
          }
        ], to: folder.appending(path: "model.safetensors"))
      return folder
    }
    // More than is hashed at a time.
    var values = [Float](repeating: 0.5, count: 9 << 20)
    let one = try ModelFingerprint.of(folder("one", values: values))
    #expect(try ModelFingerprint.of(folder("two", values: values)) == one)
    #expect(try ModelFingerprint.of(folder("two", values: values, configuration: "{ }")) != one)
    values[values.count - 100].negate()
    #expect(try ModelFingerprint.of(folder("one", values: values)) != one)
  }

  @Test(arguments: ["t.jsonl", "t.jsonl.zst"]) func tracesSurviveTheFile(_ name: String) throws {
    try withTrace(name) { url in
      let trace = try Trace.read(url)
      #expect(trace.header == Self.header)
      #expect(trace.units.count == 2)
      #expect(trace.units[0].prompts == Self.unit.prompts)
      for (read, written) in zip(trace.units[0].entries, Self.unit.entries) {
        #expect(read.generation.finishReason == written.generation.finishReason)
        #expect(abs(read.generation.seconds - written.generation.seconds) < 1e-9)
        for (one, other) in zip(read.generation.rounds, written.generation.rounds) {
          var one = one
          #expect(abs(one.seconds.draft - other.seconds.draft) < 1e-10)
          one.seconds = other.seconds
          #expect(one == other)
        }
      }
      // Token 199 is byte 0xC3, no character of its own; 70 is byte 0x42.
      #expect(trace.texts[199] == "<0xC3>" && trace.texts[70] == "B" && trace.texts[1] == "<1>")
    }
  }

  /// One change to the text of a trace, and what the reader says of it.
  static let damages: [(String, String, String)] = [
    ("\"version\":1", "\"version\":2", "this trace has version 2, but this program reads versions"),
    ("\"kind\":\"trace\"", "\"kind\":\"log\"", "this is no trace; give a file that ‘trace’ wrote"),
    ("\"decoder\":\"plain\"", "\"decoder\":1", "line 1: the header lacks a field"),
    ("\"baseline\":\"plain\"", "\"baseline\":\"none\"", "line 1: the configurations' names"),
    ("\"tokens\":[70,90]", "\"tokens\":[70,9", "line 5: not valid JSON"),
    ("\"tokens\":[70,90]", "\"tokens\":[71,90]", "round 1: the accepted drafts are not the tokens"),
    ("\"at\":5", "\"at\":6", "round 2 starts at position 6, not at 5"),
    ("\"accepted\":1", "\"accepted\":2", "round 1: the accepted drafts are not the tokens"),
    ("\"p\":[0.75,0.5]", "\"p\":[0.75]", "round 1: 1 probabilities for 2 tokens"),
    ("\"p\":[0.75,0.5]", "\"p\":[0.75,5]", "round 1: a probability outside 0 to 1"),
    ("\"source\":\"drafter\"", "\"source\":\"oracle\"", "\"source\" is \"oracle\""),
    ("[\"suffix\",", "[\"oracle\",", "\"source\" is \"oracle\""),
    ("[\"suffix\",", "[1,", "a source is not a string"),
    ("[\"suffix\",", "[", "round 2: 3 sources for 4 drafts"),
    ("\"pass\":2", "\"pass\":5", "round 2: 5 drafts of a pass, but 4 in all"),
    ("[null,0.75,", "[null,\"1\",", "\"q\" is not a list of numbers"),
    ("\"rows\":4,", "", "\"rows\" is missing"),
    ("\"rows\":4", "\"rows\":-4", "\"rows\" is not a count"),
    ("\"rows\":4", "\"rows\":99999999999", "\"rows\" is not a count"),
    ("\"verify\":1000.0", "\"verify\":\"1\"", "\"verify\" is not a number"),
    ("[71,0.25]", "[71]", "\"draft\" is not a list of tokens with probabilities"),
    ("\"configuration\":1", "\"configuration\":2", "there is no configuration 2"),
    ("\"prompt_tokens\":3", "\"prompt_tokens\":4", "there is no prompt 0 of 4 tokens"),
    ("\"finish\":\"end\"", "\"finish\":\"never\"", "\"finish\" has an unknown value"),
    (
      "\"tokens\":4,\"rounds\":2", "\"tokens\":5,\"rounds\":2",
      "rounds of this generation are missing"
    ),
    ("{\"kind\":\"unit\"}\n{", "{", "prompt 0"),
    ("{\"kind\":\"end\"", "{\"kind\":\"fin\"", "an unknown kind of line, \"fin\""),
  ]

  @Test(arguments: damages.indices) func damagedTracesAreRefused(_ index: Int) throws {
    let (old, new, message) = Self.damages[index]
    try withTrace("t.jsonl") { url in
      let text = try String(contentsOf: url, encoding: .utf8)
      let place = try #require(text.range(of: old), "\(old)")
      let damaged = text.replacingCharacters(in: place, with: new)
      try Data(damaged.utf8).write(to: url)
      if message == "prompt 0" {
        // Units may be joined; nothing is lost by it.
        #expect(try Trace.read(url).units.count == 1)
        return
      }
      let error = #expect(throws: SpeculateError.self) { try Trace.read(url) }
      let text2 = error?.description ?? ""
      #expect(text2.contains(message), "\(text2)")
      #expect(text2.hasPrefix(url.path))
    }
  }

  /// A trace that ends anywhere but after a unit is refused; a run that goes on takes what is whole.
  @Test func shortTracesAreRefusedAndSalvaged() throws {
    try withTrace("t.jsonl") { url in
      let data = try Data(contentsOf: url)
      let ends = data.indices.filter {
        data[$0...].starts(with: Data("{\"kind\":\"unit\"}\n".utf8))
      }
      #expect(ends.count == 2)
      for length in stride(from: 0, to: data.count - 1, by: 7) {
        try data.prefix(length).write(to: url)
        // Without its last line feed the last line is still whole.
        let isWhole = ends.contains { $0 + 15 == length || $0 + 16 == length }
        let firstLine = data.firstIndex(of: 0x0A) ?? 0
        if length == firstLine || length == firstLine + 1 { continue }
        if !isWhole { #expect(throws: SpeculateError.self) { try Trace.read(url) } }
        guard length > firstLine else { continue }
        let salvaged = try Trace.read(url, salvaging: true)
        #expect(salvaged.units.count == ends.count { $0 + 15 <= length })
      }
    }
    try withTrace("t.jsonl.zst") { url in
      let data = try Data(contentsOf: url)
      for length in [0, 10, data.count / 2, data.count - 1] {
        try data.prefix(length).write(to: url)
        #expect(throws: SpeculateError.self) { try Trace.read(url) }
      }
      var flipped = data
      flipped[data.count / 2] ^= 0x10
      try flipped.write(to: url)
      #expect(throws: SpeculateError.self) { try Trace.read(url) }
    }
  }

  @Test func namesAreChecked() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.url
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    let text = folder.appending(path: "trace.txt")
    #expect(
      message { try TraceWriter.checkName(text) }
        == "\(text.path): a trace's name ends with .jsonl or .jsonl.zst; change it")
    let there = folder.appending(path: "there.jsonl")
    try Data().write(to: there)
    #expect(
      message { try TraceWriter.checkName(there) }
        == "\(there.path) exists already; remove it, or write to another file")
    #expect(
      message { _ = try Trace.read(there) }
        == "\(there.path): this is no trace; give a file that ‘trace’ wrote")
    let missing = folder.appending(path: "missing.jsonl")
    #expect(
      message { _ = try Trace.read(missing) }
        == "\(missing.path): there is no such trace; check the path")
    #expect(
      message { _ = try Trace.read(folder) }
        == "\(folder.path): this is a folder; give a file that ‘trace’ wrote")
  }
}
