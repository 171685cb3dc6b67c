import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Text
import Training

/// Prompts that a target writes itself: each a function of seed and number, whatever interrupts.
@Suite struct WrittenPromptTests {
  private let folder: TemporaryFolder
  private let recipe: ResponseRecipe

  init() throws {
    folder = try TemporaryFolder()
    try TalkativeTarget.write(to: folder.file("target"))
    recipe = try ResponseRecipe(target: folder.file("target"), workers: Workers(count: 2))
  }

  private var wanted: ResponseOptions {
    var writing = PromptWritingOptions()
    writing.length = 40
    var options = ResponseOptions(data: .written(writing))
    options.count = 40
    options.promptLengths = 1...60
    options.length = 24
    options.batch = 7
    return options
  }

  private func files(_ name: String) throws -> [String: Data] {
    let place = folder.file(name)
    let names = try #require(FileManager.default.enumerator(atPath: place.path))
      .compactMap { $0 as? String }
    return try Dictionary(
      uniqueKeysWithValues: names.filter { $0.contains(".") && !$0.hasPrefix(".") }.map {
        ($0, try Data(contentsOf: place.appending(path: $0)))
      })
  }

  private func make(
    _ options: ResponseOptions, in name: String, shouldStop: () -> Bool = { false }
  ) throws -> (responses: [Response]?, prompts: PromptCounts?) {
    var counts: PromptCounts?
    let made = try recipe.run(options, folder: folder.file(name), shouldStop: shouldStop) {
      counts = $0.prompts ?? counts
    }
    return (made, counts)
  }

  @Test func `written prompts are answered as chats`() throws {
    let (made, counted) = try make(wanted, in: "answers")
    let (responses, counts) = (try #require(made), try #require(counted))
    #expect(responses.count == 40)
    #expect(counts.kept >= 40 && counts.kept < counts.written)
    #expect(counts[.unfinished] > 0)
    #expect(
      counts.written == counts.kept + PromptFlaw.allCases.reduce(0) { $0 + counts[$1] })
    let store = try WrittenPromptStore(existing: folder.file("answers/prompts"))
    let written = store.elements(below: store.count)
    #expect(written.count == counts.written)
    let tokenizer = try TokenizerLoader.load(directory: folder.file("target"))
    for response in responses {
      let prompt = written[response.document]
      #expect(prompt.ending == .turn)
      let text = tokenizer.decode(prompt.tokens, skipSpecial: false)
        .trimmingCharacters(in: .whitespaces)
      #expect(
        tokenizer.decode(Array(response.tokens.prefix(response.promptLength)), skipSpecial: false)
          == "<s>[u]\(text)</s>[a]")
    }
    // Numbers rise: kept prompts are answered in their order.
    #expect(zip(responses, responses.dropFirst()).allSatisfy { $0.document < $1.document })
    let manifest = try String(
      contentsOf: folder.file("answers/prompts/manifest.json"), encoding: .utf8)
    #expect(manifest.contains("\"kept\" : \(counts.kept)"))
    #expect(manifest.contains("\"dropped: unfinished\" : \(counts[.unfinished])"))
  }

  @Test func `interruptions and batches change no file`() throws {
    _ = try make(wanted, in: "whole")
    let whole = try files("whole")
    var other = wanted
    other.batch = 16
    var (rounds, passes) = (0, 0)
    while try make(
      other, in: "parts",
      shouldStop: {
        passes += 1; return passes % 90 == 0
      }
    )
    .responses == nil {
      rounds += 1
      other.batch = 1 + rounds % 9
      try #require(rounds < 500)
    }
    #expect(rounds > 3)
    #expect(try files("parts") == whole)
  }

  @Test func `more responses add to those that are there`() throws {
    var few = wanted
    few.count = 9
    let first = try #require(try make(few, in: "answers").responses)
    let all = try #require(try make(wanted, in: "answers").responses)
    #expect(Array(all.prefix(9)) == first)
    #expect(all == (try make(wanted, in: "fresh").responses))
    let (again, counts) = try make(few, in: "answers")
    #expect(again == first && counts?.kept ?? 0 >= 9)
  }

  @Test func `other settings are refused by name`() throws {
    _ = try make(wanted, in: "answers")
    func refusal(_ change: (inout PromptWritingOptions) -> Void) -> String {
      var writing = PromptWritingOptions()
      writing.length = 40
      change(&writing)
      var options = wanted
      options.sources = [.init(.written(writing))]
      let error = #expect(throws: SpeculateError.self) { try make(options, in: "answers") }
      return error?.description ?? ""
    }
    #expect(refusal { $0.temperature = 1 }.contains("with another ‘prompt temperature’ (0.9)"))
    #expect(refusal { $0.topP = 1 }.contains("with another ‘prompt top-p’ (0.95)"))
    #expect(refusal { $0.length = 41 }.contains("with another ‘prompt length’ (40)"))
    #expect(refusal { $0.systems = ["Sing."] }.contains("with another ‘prompt system’"))
    #expect(
      refusal { $0.length = 300 }.hasSuffix(
        "don't fit the target's context of 256: give a smaller ‘prompt length’"))
  }

  @Test func `targets without a template are refused`() throws {
    try TalkativeTarget.write(to: folder.file("base"), template: nil)
    let base = try ResponseRecipe(target: folder.file("base"), workers: Workers(count: 1))
    let error = #expect(throws: SpeculateError.self) {
      try base.run(wanted, folder: folder.file("out"), shouldStop: { false }, report: { _ in })
    }
    #expect(error?.description.contains("\(folder.file("base").path)") == true)
    #expect(!FileManager.default.fileExists(atPath: folder.file("out").path))
  }

  @Test func `a share is sampled and the rest greedy`() throws {
    var options = wanted
    let greedy = try #require(try make(options, in: "greedy").responses)
    options.temperature = 1
    let sampled = try #require(try make(options, in: "sampled").responses)
    options.sampledShare = 0.4
    let mixed = try #require(try make(options, in: "mixed").responses)
    let alike = zip(mixed, greedy).count { $0 == $1 }
    #expect((16...32).contains(alike))
    #expect(
      zip(mixed, zip(greedy, sampled)).allSatisfy { $0 == $1.0 || $0 == $1.1 })
    options.sampledShare = 0.5
    let error = #expect(throws: SpeculateError.self) { try make(options, in: "mixed") }
    #expect(error?.description.contains("with another ‘sampled share’ (0.4)") == true)
  }

  @Test func `sources are mixed by their weights`() throws {
    let lines = (0..<9).map { #"{"prompt":"file \#($0)"}"# }.joined(separator: "\n")
    let file = try folder.write(Data(lines.utf8), to: "prompts.jsonl")
    var options = wanted
    options.sources = [
      .init(options.sources[0].data, weight: 3), .init(.text(file), weight: 1),
    ]
    let mixed = try #require(try make(options, in: "mixed").responses)
    let alone = try #require(try make(wanted, in: "alone").responses)
    let tokenizer = try TokenizerLoader.load(directory: folder.file("target"))
    let isFile = mixed.map {
      tokenizer.decode(Array($0.tokens.prefix($0.promptLength)), skipSpecial: true)
        .hasPrefix("file ")
    }
    for count in 1...40 {
      let files = isFile.prefix(count).count { $0 }
      #expect(abs(Double(files) - Double(count) / 4) <= 1)
    }
    // The prompts of a source are those that it gives alone.
    #expect(zip(mixed, isFile).filter { !$0.1 }.map(\.0) == Array(alone.prefix(30)))
    options.sources[1].weight = 2
    let error = #expect(throws: SpeculateError.self) { try make(options, in: "mixed") }
    #expect(error?.description.contains("with another ‘weights’") == true)
  }
}
