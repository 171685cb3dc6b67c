import Files
import Foundation
import TestSupport
import Testing
import Text
import Training

/// What a run measures on held-out answers, and what it keeps of it.
extension DistillRecipeTests {
  @Test func `the best drafter is kept whatever comes after it`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "drafter", threads: 1)
    options.savesBest = true
    options.steps = 40
    options.learningRate = 1e-2
    options.floorShare = 1
    options.evaluateEvery = 1
    options.heldout?.count = 12
    let whole = try Self.run(options).progress
    let lengths = whole.compactMap(\.acceptanceLength)
    let best = try #require(lengths.max())
    let step = try #require(lengths.firstIndex(of: best)) + 1
    #expect(lengths.count == 40 && lengths[39] < best, "the last drafter is the best: \(lengths)")
    #expect(whole.last?.bestAcceptanceLength == best && whole.last?.bestStep == step)
    let kept = try #require(try BestDrafter(in: options.output))
    #expect(kept.acceptanceLength == best && kept.step == step)

    // Stopped anywhere, with the memory of what was best in the folder alone.
    var parts = options
    parts.output = folder.file("parts")
    var progress: [DistillProgress] = []
    for stop in [step - 1, 1, 2] where stop > 0 {
      progress += try Self.run(parts, Stops(train: stop)).progress
    }
    progress += try Self.run(parts).progress
    #expect(progress.map(\.bestStep) == whole.map(\.bestStep))
    for name in ["best/model.safetensors", "best/config.json", "model.safetensors"] {
      #expect(
        try Data(contentsOf: options.output.appending(path: name))
          == Data(contentsOf: parts.output.appending(path: name)), "\(name)")
    }

    // It is the drafter that a run stopped there has.
    var stopped = options
    (stopped.output, stopped.savesBest) = (folder.file("stopped"), false)
    _ = try Self.run(stopped, Stops(train: step))
    #expect(
      try TinyTraining.tensors(stopped.output.appending(path: "model.safetensors"))
        == TinyTraining.tensors(options.output.appending(path: "best/model.safetensors")))

    // A new run in the same place knows nothing of it.
    try FileManager.default.removeItem(at: parts.output.appending(path: "checkpoint.safetensors"))
    _ = try Self.run(parts, Stops(train: 2))
    #expect(try BestDrafter(in: parts.output)?.step == 1)
    try FileManager.default.copyItem(
      at: parts.output.appending(path: "model.safetensors"),
      to: folder.file("model.safetensors"))
    let weights = BestDrafter.folder(in: parts.output).appending(path: "model.safetensors")
    try Data(contentsOf: folder.file("model.safetensors")).write(to: weights)
    #expect(
      throws: SpeculateError(
        "\(weights.path) doesn't say how well its drafter is accepted: move it away, for "
          + "‘save best’ to write there")
    ) {
      _ = try Self.run(parts)
    }
  }

  @Test func `samples are the rounds of the last evaluation`() throws {
    let folder = try TemporaryFolder()
    let options = try Self.options(folder, output: "drafter", threads: 1)
    let recipe = try DistillRecipe(options)
    let made = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    let heldout = try #require(try recipe.respondHeldout(shouldStop: { false }))
    var last: DistillProgress?
    try recipe.training(made, heldout: heldout).run(
      shouldStop: { false }, report: { last = $0 })
    let samples = try JSONDecoder().decode(
      [DraftSample].self, from: Data(contentsOf: DraftSample.file(in: options.output)))
    #expect(samples.count == 4 && samples.allSatisfy { $0.step == 8 })
    let tokenizer = try TokenizerLoader.load(directory: options.target)
    for sample in samples {
      let text = sample.rounds.map { $0.accepted + $0.chosen }.joined()
      // Letters and specials are tokens of this tokenizer, so that a text has one token sequence.
      let response = try #require(
        heldout.first { response in
          text
            == response.continuation.map { token in
              tokenizer.isSpecial(token)
                ? tokenizer.piece(of: token) ?? ""
                : String(decoding: tokenizer.bytes(of: token), as: UTF8.self)
            }.joined()
        }, "\(text)")
      #expect(sample.tokens == response.continuation.count)
    }
    #expect(samples.contains { $0.rounds.contains { $0.rejected != nil } })
    let rounds = samples.reduce(0) { $0 + $1.rounds.count }
    #expect(rounds > 0 && rounds <= (last?.generated?.acceptance.rounds ?? 0))
  }
}
