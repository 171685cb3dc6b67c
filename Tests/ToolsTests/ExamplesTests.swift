import Foundation
import Speculate
import Testing

/// The programs of Examples, on a small pair.
@Suite struct ExamplesTests {
  private func run(_ program: String, _ arguments: [String]) throws -> String {
    let result = try CommandProcess(arguments, program: program).wait()
    #expect(result.status == 0, "\(result.errors)")
    return result.output
  }

  /// The passes that a line speaks of.
  private func passes(_ line: some StringProtocol) throws -> (target: Int, drafter: Int) {
    let match = try #require(
      String(line).wholeMatch(of: /-- (\d+) passes of the target, (\d+) of the drafter/))
    return (try #require(Int(match.1)), try #require(Int(match.2)))
  }

  @Test func completionsAreThoseOfPlainDecoding() throws {
    let pair = try TinyPair(TinyPair.Sizes(layers: 12))
    defer { pair.remove() }
    let output = try run("Complete", ["abc", pair.target.path, pair.drafter.path])
    let plain = try TextGenerator(target: pair.target).generate(
      "abc", parameters: GenerationParameters(maximumTokens: 64), mode: .plain)
    let end = try #require(output.range(of: "\n-- ", options: .backwards))
    #expect(output[..<end.lowerBound] == "abc" + plain.text)
    let count = try passes(output[end.lowerBound...].dropFirst().dropLast())
    #expect(count.drafter > 0 && count.target <= plain.tokens.count)
  }

  @Test func aChatAnswersThreeTurns() throws {
    let pair = try TinyPair(TinyPair.Sizes(layers: 12, context: 512))
    try pair.addChatTemplate()
    defer { pair.remove() }
    let output = try run("Chat", [pair.target.path, pair.drafter.path])
    let generator = try TextGenerator(target: pair.target)
    var conversation = Conversation()
    var expected = ""
    let lines = output.split(separator: "\n").filter { $0.hasPrefix("-- ") }
    try #require(lines.count == 3)
    for (turn, line) in zip(
      ["Add two numbers.", "Now multiply them.", "And print the result."], lines)
    {
      conversation.append(.user(turn))
      let answer = try generator.chat(
        conversation, parameters: GenerationParameters(maximumTokens: 48, stopStrings: ["\n}\n"]),
        mode: .plain)
      conversation.append(.assistant(answer.text))
      expected += "> \(turn)\n\(answer.text)\n\(line)\n"
    }
    #expect(output == expected)
    #expect(try lines.map(passes).contains { $0.drafter > 0 })
  }

  @Test func promptsTogetherGiveWhatEachGivesAlone() throws {
    let pair = try TinyPair(TinyPair.Sizes(layers: 12))
    defer { pair.remove() }
    let output = try run("Batch", [pair.target.path, pair.drafter.path])
    let generator = try TextGenerator(target: pair.target)
    var expected = ""
    var tokens = 0
    for prompt in ["func add(", "struct Point {", "import Foundation", "for index in "] {
      let plain = try generator.generate(
        prompt, parameters: GenerationParameters(maximumTokens: 48), mode: .plain)
      expected += "> \(prompt)\(plain.text)\n-- \(plain.tokens.count) tokens\n"
      tokens += plain.tokens.count
    }
    let end = try #require(
      output.wholeMatch(of: /(?s)(.*)-- (\d+) passes of the target for (\d+) tokens\n/))
    #expect(end.1 == expected && Int(end.3) == tokens)
    // Sequences share passes.
    #expect(try #require(Int(end.2)) < tokens)
  }
}
