import Foundation
import Testing

/// Ordinary causal models behind `--drafter`.
@Suite struct CausalDrafterTests {
  private func generate(
    _ target: URL, _ drafter: URL, _ arguments: [String] = []
  ) throws -> CommandResult {
    try CommandProcess(
      [
        "generate", "--target", target.path, "--drafter", drafter.path, "--prompt", "abc",
        "--max-tokens", "40", "--ignore-end",
      ] + arguments
    ).wait()
  }

  @Test func aModelWithTheVocabularyDraftsForTheTarget() throws {
    let pair = try TinyPair()
    let small = try TinyPair(TinyPair.Sizes(hidden: 48, layers: 1, context: 32))
    defer {
      pair.remove()
      small.remove()
    }
    for drafter in [pair.target, small.target] {
      for passes in [[], ["--drafter-passes", "2"]] {
        let result = try generate(
          pair.target, drafter, ["--compare", "--repeats", "1", "--draft-length", "6"] + passes)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.lastLine.hasPrefix("identical yes "), "\(result.output)")
      }
    }
    // The target guesses its own text, as far as int8 allows where f32 is stored: entirely.
    let own = try generate(pair.target, pair.target, ["--draft-length", "7", "--stats"])
    #expect(own.errors.contains("5 rounds, tau 8.00"), "\(own.errors)")
    // Without a tokenizer the vocabulary's size decides.
    try FileManager.default.removeItem(at: small.target.appending(path: "tokenizer.model"))
    #expect(try generate(pair.target, small.target).status == 0)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let pair = try TinyPair()
    let other = try TinyPair(TinyPair.Sizes(vocabulary: 300))
    defer {
      pair.remove()
      other.remove()
    }
    func expect(_ result: CommandResult, _ status: Int32, _ message: String) {
      #expect(result.status == status && result.output == "")
      #expect(result.errors == "error: \(message)\n", "\(result.errors)")
    }
    try FileManager.default.removeItem(at: other.target.appending(path: "tokenizer.model"))
    expect(
      try generate(pair.target, other.target), 1,
      "the drafter has a vocabulary of 300, but this target has \(TinyTokenizer.vocabulary): use a "
        + "drafter with the target's vocabulary, or none")
    let file = other.target.appending(path: "tokenizer.model")
    var model = TinyTokenizer.model
    let place = try #require(model.firstRange(of: Data("<0x41>".utf8)))
    model.replaceSubrange(place, with: Data("<0x7F>".utf8))
    let second = try #require(
      model.range(of: Data("<0x7F>".utf8), in: place.upperBound..<model.count))
    model.replaceSubrange(second, with: Data("<0x41>".utf8))
    try model.write(to: file)
    expect(
      try generate(pair.target, other.target), 1,
      "the tokenizer in \(other.target.path) differs from the target's at token 69: use a drafter "
        + "with the target's tokenizer, or none")
    expect(
      try generate(pair.target, pair.drafter, ["--drafter-passes", "2"]), 1,
      "\(pair.drafter.path) holds a block drafter, which takes one pass a round: leave out "
        + "--drafter-passes")
    for arguments in [["--drafter-passes", "0"], ["--drafter", "none", "--drafter-passes", "2"]] {
      let result = try CommandProcess(["generate", "--prompt", "a"] + arguments).wait()
      #expect(result.status == 64 && result.errors.contains("--drafter-passes"))
    }
  }
}
