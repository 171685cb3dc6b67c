import Files
import Foundation
import Speculate
import TestSupport
import Testing
import Verifier

/// Drafts out of what a target wrote earlier.
@Suite struct AnswerTableTests {
  private func table(_ answers: [[Token]], promptLength: Int = 1) -> AnswerTable {
    var counter = AnswerCounter(vocabularySize: TinyModels.vocabulary)
    for answer in answers { counter.add(answer, promptLength: promptLength) }
    return counter.table()
  }

  private func entry(_ table: AnswerTable, behind run: [Token]) -> AnswerTable.Entry? {
    table.entry(length: run.count) { run[run.count - 1 - $0] }
  }

  @Test func `what came most often behind a run stands first`() throws {
    let table = table([[1, 2, 3], [1, 2, 4], [1, 2, 4], [1, 2, 5], [9, 2, 6], [1, 2, 7]])
    let two = try #require(entry(table, behind: [2]))
    // 4 twice, the others once: of equals the lower token.
    #expect(two.tokens == [4, 3, 5] && two.shares == [72, 36, 36])
    // Says the same as its shorter end, and is hardly surer.
    #expect(entry(table, behind: [1, 2]) == nil)
    // 2 stands behind 1 always.
    #expect(entry(table, behind: [1])?.tokens == [2])
    // Seen once.
    #expect(entry(table, behind: [9]) == nil && entry(table, behind: [9, 2]) == nil)
    #expect(entry(table, behind: [60]) == nil && entry(table, behind: [1, 2, 3, 4, 5]) == nil)
  }

  @Test func `a longer run is kept for what it says otherwise`() throws {
    let table = table([[1, 2, 3], [1, 2, 3], [1, 2, 3], [8, 2, 4], [8, 2, 4]])
    #expect(entry(table, behind: [2])?.tokens == [3, 4])
    let other = try #require(entry(table, behind: [8, 2]))
    // Behind its own token stands the shorter run's, less sure.
    #expect(other.tokens == [4, 3] && other.shares[0] > other.shares[1])
  }

  @Test func `prompts are not counted, and the order of answers makes no difference`() {
    var random = SplitMix(seed: 5)
    let answers = (0..<40).map { _ in
      (0..<30).map { _ in Token(random.next() % 7) }
    }
    let one = table(answers, promptLength: 10)
    let two = table(answers.reversed(), promptLength: 10)
    #expect(one.count > 100 && one.count == two.count)
    for answer in answers {
      for end in 5...answer.count {
        for length in 1...AnswerTable.longest {
          let run = Array(answer[end - length..<end])
          #expect(entry(one, behind: run) == entry(two, behind: run))
        }
      }
    }
    #expect(entry(table([[1, 2, 3, 4], [1, 2, 3, 4]], promptLength: 3), behind: [1]) == nil)
    #expect(table([[], [1], [1, 2]], promptLength: 5).count == 0)
  }

  @Test func `a table is read as it was written, and a damaged one refused`() throws {
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: 6)
    let answers = (0..<40).map { _ in (0..<30).map { _ in Token(random.next() % 7) } }
    let made = table(answers)
    try made.write(to: folder.url)
    let read = try AnswerTable(directory: folder.url)
    #expect(read.count == made.count && read.vocabularySize == made.vocabularySize)
    for answer in answers {
      let run = Array(answer.suffix(3))
      #expect(entry(read, behind: run) == entry(made, behind: run))
    }
    #expect(try AnswerTable.isMeant(by: folder.url))
    let file = folder.file("model.safetensors")
    let sound = [UInt8](try Data(contentsOf: file))
    var refused = 0
    for _ in 0..<300 {
      var bytes = sound
      mutate(&bytes, &random)
      try Data(bytes).write(to: file)
      do {
        let table = try AnswerTable(directory: folder.url)
        // Whatever it says, tokens are the vocabulary's.
        for answer in answers {
          let tokens = entry(table, behind: Array(answer.suffix(2)))?.tokens ?? []
          #expect(tokens.allSatisfy { (0..<Token(table.vocabularySize)).contains($0) })
        }
      } catch is SpeculateError { refused += 1 }
    }
    #expect(refused > 50)
    try Data(sound).write(to: file)
    let configuration = folder.file("config.json")
    let text = try String(contentsOf: configuration, encoding: .utf8)
    for (part, other) in [
      ("\"longest_run\": 5", "\"longest_run\": 6"), ("\"vocab_size\": 61", "\"vocab_size\": 0"),
      ("\"vocab_size\": 61", "\"vocab_size\": 3"), ("\"width\": 3", "\"width\": 1"),
    ] {
      let spaced = text.replacing("\":", with: "\": ").replacing("\":  ", with: "\": ")
      try #require(spaced.contains(part), "\(spaced)")
      try spaced.replacing(part, with: other).write(
        to: configuration, atomically: true, encoding: .utf8)
      #expect(throws: SpeculateError.self, "\(other)") { try AnswerTable(directory: folder.url) }
    }
  }

  /// Where a table knows all that the target may choose, and how likely, its coupled draft is the target's token.
  @Test(arguments: [0.7 as Float, 1, 1.4])
  func `candidates are ranked by the noise that the target will use`(temperature: Float) {
    let presence = TokenPresence(vocabulary: 8)
    let sampling = SamplingParameters(temperature: temperature, seed: 11)
    let shares: [Float] = [0.4, 0.3, 0.2, 0.1]
    let tokens: [Token] = [5, 2, 7, 0]
    var agreed = (coupled: 0, argmax: 0)
    var scores = (right: 0.0, all: 0.0)
    for position in 0..<400 {
      var row = [Float](repeating: -1e9, count: 8)
      for (token, share) in zip(tokens, shares) { row[Int(token)] = log(share) }
      var chooser = TokenChooser(sampling)
      let chosen = row.withUnsafeMutableBufferPointer {
        chooser.column($0.baseAddress!, count: 8, position: position, context: presence)
      }
      for choice in [DraftChoice.coupled, .argmax] {
        var candidates = zip(tokens, shares).map { DraftCandidate(token: $0, share: $1) }
        DraftChooser(sampling, choice: choice, context: presence)
          .rank(&candidates, position: position)
        #expect(Set(candidates.map(\.token)) == Set(tokens))
        let isRight = Int(candidates[0].token) == chosen
        if choice == .argmax {
          #expect(candidates.map(\.token) == tokens && candidates.map(\.score) == shares)
          agreed.argmax += isRight ? 1 : 0
        } else {
          agreed.coupled += isRight ? 1 : 0
          #expect(candidates.allSatisfy { (0...1).contains($0.score) })
          #expect(
            zip(candidates.dropFirst(), candidates.dropFirst(2)).allSatisfy { $0.score >= $1.score }
          )
        }
      }
      // Half of the mass is elsewhere: the surer, the more often right.
      var some = [DraftCandidate(token: 5, share: 0.4)]
      DraftChooser(sampling, choice: .coupled, context: presence).rank(&some, position: position)
      scores.all += Double(some[0].score)
      if chosen == 5 { scores.right += Double(some[0].score) }
    }
    #expect(agreed.coupled == 400)
    #expect((100...300).contains(agreed.argmax))
    #expect(scores.right > 0.5 * scores.all)
  }

  /// Drafts of a table are right often where it knows the target, and the output is that of plain decoding.
  @Test(arguments: ExactnessTests.settings + ExactnessTests.formats)
  func `the output is plain decoding's`(_ setting: ExactnessTests.Setting) throws {
    let runner = setting.runner()
    let cache = try runner.makeCache(capacity: TinyModels.configuration.maximumContext)
    var counter = AnswerCounter(vocabularySize: TinyModels.vocabulary)
    var plain: [(ids: [Token], reason: FinishReason?)] = []
    func parameters(_ index: Int) -> GenerationParameters {
      GenerationParameters(
        sampling: SamplingParameters(temperature: setting.temperature, seed: UInt64(index)),
        maximumTokens: 40, ignoresEnd: index % 2 == 0)
    }
    let prompts = ExactnessTests.prompts.prefix(10)
    for (index, prompt) in prompts.enumerated() {
      let output = try TinyModels.plain(prompt, parameters(index), runner: runner)
      plain.append((output.ids, output.reason))
      // Twice: what is seen once isn't kept.
      for _ in 0..<2 { counter.add(prompt + output.ids, promptLength: prompt.count) }
    }
    let source = AnswerDraftSource(counter.table())
    var accepted = 0
    for (index, prompt) in prompts.enumerated() {
      for (length, branches) in [
        (DraftLength.fixed(1), 0), (.fixed(12), 0),
        (.adaptive(AdaptiveDraftLength(CostModelTests.model)), 2),
      ] {
        cache.reset()
        let decoder = try Decoder(
          runner: runner, cache: cache, prompt: prompt, parameters: parameters(index),
          strategy: DraftStrategy(
            source: source, length: length, choice: index % 2 == 0 ? .argmax : .coupled,
            branches: branches))
        #expect(Array(decoder) == plain[index].ids && decoder.finishReason == plain[index].reason)
        accepted += decoder.statistics.acceptedTokens
      }
    }
    #expect(accepted > 100)
  }
}
