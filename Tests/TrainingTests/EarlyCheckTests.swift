import Drafter
import Files
import Foundation
import TestSupport
import Testing
import Training

/// What a run will need is checked before it begins, and what it chooses is told.
@Suite struct EarlyCheckTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func complaint(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func `a distillation that can't be is told before the target answers`() throws {
    let options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    func refusal(_ change: (inout DistillOptions) -> Void) -> String {
      var changed = options
      change(&changed)
      return complaint { _ = try DistillRecipe(changed) }
    }
    #expect(
      refusal { $0.targetLayers = [0, 7] }
        == "‘target layers’ names layer 7, but the target has layers 0 to 2")
    let missing = folder.file("none.txt")
    let unreadable = refusal { $0.heldout?.sources = [.init(.text(missing))] }
    #expect(unreadable.contains(missing.path))
    #expect(
      refusal { $0.sequences = 15 }
        == "there are 14 responses, fewer than the 15 of a step: make more of them")
    #expect(
      refusal { $0.heldout?.length = 148 }
        == "responses of 157 tokens with a block of 4 don't fit the target's context of 160: make "
        + "shorter ones")
    #expect(
      refusal {
        $0.width = 16
        $0.initialization = .target()
      }
        == "the drafter can't start as layers of the target, whose shape differs: give ‘init’ random"
    )
    #expect(!FileManager.default.fileExists(atPath: options.output.path))
  }

  @Test func `a forcing that can't be is told before the target answers`() throws {
    var options = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    options.evaluation.promptLengths = 64...128
    options.evaluation.length = 96
    #expect(
      complaint { _ = try ForceRecipe(options) }
        == "held-out prompts and outputs of 224 tokens don't fit the target's context of 160: give a "
        + "smaller ‘evaluation length’ or ‘longest prompt’")
    options.sequences = 15
    options.evaluation.promptLengths = 5...9
    #expect(
      complaint { _ = try ForceRecipe(options) }
        == "there are 14 trajectories, fewer than the 15 of a step: make more of them")
    #expect(!FileManager.default.fileExists(atPath: options.output.path))
  }

  @Test func `held-out pieces are no longer than the context`() throws {
    var options = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    options.evaluation.window = 512
    options.evaluation.tokens = 400
    options.steps = 1
    let progress = try ForceRecipeTests.run(options).progress
    #expect(try #require(progress.last?.evaluation).bitsPerToken > 0)
  }

  /// A target whose tokenizer has another piece where the mask would be.
  private func target(
    _ piece: String, vocabulary: Int, kind: SentencePieceModelBuilder.Kind = .control
  ) throws -> URL {
    var builder = SentencePieceModelBuilder(pieces: [
      ("<unk>", .unknown), ("<s>", .control), ("</s>", .control), (piece, kind),
      ("\n", .userDefined),
    ])
    builder.pieces += (TinyTokenizer.words + TinyTokenizer.letters).map { ($0, .normal) }
    let place = folder.file("target \(piece.count) \(vocabulary)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
    var architecture = TinyTraining.architecture(layers: 3)
    architecture.vocabularySize = vocabulary
    try ModelExport.write(
      TinyTraining.livelyModel(architecture, seed: 6),
      configuration: architecture.configuration(type: .f32),
      tokenizer: try folder.write(builder.data, to: "\(piece.count).model"), to: place)
    return place
  }

  @Test func `a tokenizer without a mask lends a token that text never holds`() throws {
    let all = TinyTokenizer.vocabulary
    var options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    for (piece, vocabulary, mask, remark) in [
      ("<unused0>", all + 2, 3, "<unused0> (3), which it reserves, stands"),
      ("<other>", all + 2, all, "token \(all), which it doesn't use, stands"),
      ("<last>", all, 3, "<last> (3), a special token that chats don't have, stands"),
    ] {
      options.target = try target(piece, vocabulary: vocabulary)
      options.output = folder.file("drafter \(piece)")
      #expect(
        try DistillRecipe(options).remarks
          == ["the tokenizer has no mask: \(remark) for drafts to be made"])
      _ = try DistillRecipeTests.run(options, DistillRecipeTests.Stops(train: 2))
      #expect(try DrafterConfiguration(directory: options.output).maskToken == Token(mask))
      #expect(try DistillRecipeTests.run(options).isDone)
    }
    options.target = try target("none", vocabulary: all, kind: .normal)
    #expect(
      complaint { _ = try DistillRecipe(options) }
        == "the tokenizer of the target has no mask, reserves no token and uses all ids: give ‘mask "
        + "token’, one that text never holds")
  }

  @Test func `tokens that the target lacks are refused`() throws {
    var options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    _ = try DistillRecipeTests.run(options, DistillRecipeTests.Stops(train: 1))
    let made = options.output.appending(path: "responses")
    let settings = try ResponseStore(existing: made).settings
    let other = folder.file("other")
    do {
      let store = try ResponseStore(folder: other, settings: settings)
      for (number, token) in [Token(3), -1, 5].enumerated() {
        try store.add(Response(tokens: [4, token, 2], promptLength: 1), number: number)
      }
      try store.seal()
    }
    options.responses = .made([other])
    options.output = folder.file("second")
    let recipe = try DistillRecipe(options)
    #expect(
      throws: SpeculateError(
        "\(other.path) holds tokens outside the target's vocabulary of \(TinyTokenizer.vocabulary): "
          + "make its responses again with 'speculate distill data'")
    ) { _ = try recipe.respond(shouldStop: { false }, report: { _ in }) }
  }
}
