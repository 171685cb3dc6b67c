import Files
import Foundation
import Speculate
import TestSupport
import Testing
import Text
import Training

/// Which of the prompts that a target wrote are kept, and why others aren't.
@Suite struct PromptCleanerTests {
  private let tokenizer = MarkupTokenizer()

  private func writing(_ end: UserTurn.End = .token(301)) -> PromptWriting {
    PromptWriting(
      turns: [UserTurn(opening: [300], end: end)],
      settings: PromptWritingSettings(
        target: 0, turn: 0, seed: 3, temperature: 0.7, topP: 0.9, length: 50),
      tokenizer: tokenizer, endTokens: [7])
  }

  private func written(
    _ text: String, _ ending: WrittenPrompt.Ending = .turn
  ) -> WrittenPrompt {
    WrittenPrompt(
      tokens: tokenizer.encode(text, addSpecial: false, parseSpecial: true), ending: ending)
  }

  private func cleaner(
    longest: Int = 400, excluded: ExcludedPrompts? = nil, sample: [String] = ["usual letters"]
  ) -> PromptCleaner {
    var settings = ChatSettings()
    settings.template = .source("<u>{{ messages[0].content }}<e>")
    return PromptCleaner(
      writing(),
      encoder: ChatEncoder(
        directory: URL(filePath: "/nowhere"), tokenizer: tokenizer, settings: settings),
      longest: longest, excluded: excluded, sample: sample.map { written($0) })
  }

  private func flaw(_ prompt: WrittenPrompt, _ cleaner: PromptCleaner) throws -> PromptFlaw? {
    var cleaner = cleaner
    switch try cleaner.clean(prompt) {
    case .success: return nil
    case .failure(let flaw): return flaw
    }
  }

  @Test func `a kept prompt becomes a chat`() throws {
    var cleaner = cleaner()
    #expect(
      try cleaner.clean(written("  Why is it so?\n")).get()
        == tokenizer.encode("<u>Why is it so?<e>", addSpecial: false, parseSpecial: true))
  }

  @Test(
    arguments: [
      ("Why is the sky blue?", nil), ("Sum: 12 + 30 = x, and then?", nil), ("1234567", .short),
      ("Why", .short), ("a<e>b and more", .damaged), ("nothing\u{FFFD} more", .damaged),
      (String(repeating: "go ", count: 20), .loop),
      ("And " + String(repeating: "this is said much too often, ", count: 4) + "is it?", .loop),
      ("Почему небо голубое?", .alphabet), ("What does небо mean in English?", nil),
      (String(repeating: "a long story about letters ", count: 1) + "and numbers", nil),
    ] as [(String, PromptFlaw?)])
  func `flaws of a prompt by itself`(text: String, expected: PromptFlaw?) throws {
    #expect(try flaw(written(text), cleaner()) == expected)
  }

  @Test func `endings tell before anything else`() throws {
    #expect(try flaw(written("Why is the sky blue?", .length), cleaner()) == .unfinished)
    #expect(try flaw(written("Why is the sky blue?", .loop), cleaner()) == .loop)
    #expect(try flaw(written("Why is the sky blue?"), cleaner(longest: 21)) == .long)
    #expect(try flaw(written("Why is the sky blue?"), cleaner(longest: 22)) == nil)
  }

  @Test func `usual writing systems are those of the first prompts`() throws {
    let both = cleaner(sample: ["letters", "буквы", "letters again"])
    #expect(try flaw(written("Почему небо голубое?"), both) == nil)
    #expect(try flaw(written("为什么天空是蓝色的？"), both) == .alphabet)
    let han = cleaner(sample: ["为什么天空是蓝色的？", "ひらがなとカタカナ"])
    #expect(try flaw(written("日本語のカタカナですか"), han) == nil)
    #expect(try flaw(written("Why is the sky blue?"), han) == .alphabet)
  }

  @Test func `prompts that say much the same are dropped`() throws {
    var cleaner = cleaner()
    func flaw(_ text: String) throws -> PromptFlaw? {
      if case .failure(let flaw) = try cleaner.clean(written(text)) { flaw } else { nil }
    }
    #expect(try flaw("Please explain how a bicycle works.") == nil)
    #expect(try flaw("Please explain how a bicycle works.") == .duplicate)
    #expect(try flaw("Explain how a bicycle works!") == .duplicate)
    #expect(try flaw("Please explain why volcanoes erupt at all.") == nil)
    #expect(try flaw("What is good for supper tonight?") == nil)
  }

  @Test func `n-grams that many texts have say nothing`() {
    var texts = NearDuplicates()
    let usual: [Token] = [1, 2, 3, 4, 5, 6]
    func text(_ number: Int) -> [Token] { usual + (0..<4).map { Token(100 + 4 * number + $0) } }
    // Three of seven n-grams are those of all.
    let all = (0..<200).map(text)
    // One n-gram of its own beside the usual ones is new.
    let others: [[Token]] = [usual, text(7), usual + [9999], [1, 2], [1, 2], [2, 1]]
    let taken = (all + others).map { texts.insert($0) }
    #expect(taken == all.map { _ in true } + [false, false, true, true, false, true])
  }

  @Test func `prompts near excluded ones are dropped`() throws {
    let folder = try TemporaryFolder()
    let thirteen = "one two three four five six seven eight nine ten eleven twelve thirteen"
    let lines = [
      #"{"turns":["\#(thirteen) fourteen","second turn"]}"#,
      #"{"prompt":"A short prompt of only seven words!"}"#, #"{"prompt":"Hello you"}"#,
      #"{"messages":[{"role":"user","content":"What does this message ask you for?"}]}"#,
    ]
    let file = try folder.write(
      Data(lines.joined(separator: "\n").utf8), to: "evaluation.jsonl")
    let excluded = try ExcludedPrompts([file])
    for near in [
      thirteen, "And now: \(thirteen.uppercased())!", "zero, one\n\(thirteen), and",
      "Answer a short prompt, of only seven words: no", "hello, YOU",
      "what does this message ask you for",
    ] { #expect(excluded.isNear(near), "\(near)") }
    for far in [
      thirteen.dropLast(9).description, "A short prompt of only six words", "Hello you two", "",
      "one three two four five six seven eight nine ten eleven twelve thirteen",
    ] { #expect(!excluded.isNear(far), "\(far)") }
    #expect(try flaw(written(thirteen), cleaner(excluded: excluded)) == .excluded)
    let empty = try folder.write(Data("{\"prompt\":\"?\"}".utf8), to: "empty.jsonl")
    #expect(
      throws: SpeculateError("\(empty.path) holds no words: give a file with prompts")
    ) { try ExcludedPrompts([file, empty]) }
  }

  @Test func `plain text ends a message`() {
    let writing = writing(.text("[/INST]"))
    func response(_ text: String) -> Response {
      let tokens = tokenizer.encode(text, addSpecial: false, parseSpecial: true)
      return Response(tokens: [300] + tokens, promptLength: 1)
    }
    #expect(!writing.isOver(response("Why [/INST").continuation))
    #expect(writing.isOver(response("Why is it? [/INST]").continuation))
    let prompt = writing.prompt(response("Why is it? [/INST]"))
    #expect(prompt.ending == .turn && writing.text(prompt) == "Why is it?")
    let ended = writing.prompt(Response(tokens: [300, 65, 66, 7], promptLength: 1))
    #expect(ended == WrittenPrompt(tokens: [65, 66], ending: .turn))
    #expect(writing.prompt(response("ab")).ending == .loop)
    #expect(
      writing.prompt(response(String(repeating: "ab", count: 25))).ending == .length)
    #expect(writing.task(4).sampling == writing.task(4).sampling)
    #expect(writing.task(4).sampling.seed != writing.task(5).sampling.seed)
  }
}
