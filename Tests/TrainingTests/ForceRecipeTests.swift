import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Text
import Training
import Verifier

/// Forcing from a target's folder to a forced model's folder.
@Suite struct ForceRecipeTests {
  /// Where a session is to stop: after so many questions, in each of its parts.
  struct Stops {
    var respond = Int.max
    var iterate = Int.max
    var train = Int.max
  }

  static func options(
    _ folder: TemporaryFolder, output: String, threads: Int
  ) throws -> ForceOptions {
    let target = folder.file("target")
    if !FileManager.default.fileExists(atPath: target.path) {
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: false)
      let architecture = TinyTraining.architecture()
      try ModelExport.write(
        TinyTraining.livelyModel(architecture, seed: 6),
        configuration: architecture.configuration(type: .f32),
        tokenizer: try folder.write(TinyTokenizer.data, to: "tiny.model"), to: target)
    }
    let data = try folder.write(TinyTraining.tokens(1500, seed: 1), to: "train.u16")
    var random = KeyedRandom(seed: 9, key: "text")
    let text = String((0..<900).map { _ in "abcdefgh \n".randomElement(using: &random) ?? "a" })
    let heldout = try folder.write(Data(text.utf8), to: "heldout.txt")
    var responses = ResponseOptions(data: .tokens(data))
    responses.count = 14
    responses.promptLengths = 3...9
    responses.length = 24
    responses.batch = 4
    var options = ForceOptions(
      target: target, trajectories: .make(responses), output: folder.file(output),
      threads: threads)
    options.heldout = heldout
    options.blockSize = 4
    options.schedule.window = 5
    options.sequences = 5
    options.steps = 8
    options.evaluateEvery = 4
    options.evaluation.tokens = 200
    options.evaluation.window = 60
    options.evaluation.prompts = 3
    options.evaluation.promptLengths = 5...9
    options.evaluation.length = 30
    options.logEvery = 1
    options.exportType = .f32
    return options
  }

  /// One session; returns the steps it took, and whether it came to the end.
  static func run(
    _ options: ForceOptions, _ stops: Stops = Stops()
  ) throws -> (progress: [ForceProgress], trajectories: Int, isDone: Bool) {
    let recipe = try ForceRecipe(options)
    func stop(after limit: Int) -> () -> Bool {
      var asked = 0
      return {
        asked += 1
        return asked >= limit
      }
    }
    var trajectories = 0
    guard
      let responses = try recipe.respond(
        shouldStop: stop(after: stops.respond), report: { _ in }),
      let made = try recipe.iterate(
        responses, shouldStop: { trajectories >= stops.iterate },
        report: { trajectories = $0.trajectories })
    else { return ([], trajectories, false) }
    var progress: [ForceProgress] = []
    let training = try recipe.training(made)
    let isDone = try training.run(
      shouldStop: { training.stepCount - training.resumedStep >= stops.train },
      report: { progress.append($0) })
    return (progress, trajectories, isDone)
  }

  @Test(arguments: [
    (1, ForcingObjective(), true, Int?.none),
    (2, ForcingObjective(clean: 0.5, divergence: 2), false, 5),
  ])
  func `a resumed forcing is to the bit the uninterrupted one`(
    threads: Int, objective: ForcingObjective, trainsEmbedding: Bool, growthStep: Int?
  ) throws {
    let folder = try TemporaryFolder()
    func options(_ output: String) throws -> ForceOptions {
      var options = try Self.options(folder, output: output, threads: threads)
      options.objective = objective
      options.trainsEmbedding = trainsEmbedding
      options.growthStep = growthStep
      options.copies = threads
      options.precision = threads == 1 ? .f32 : .bf16
      return options
    }
    let whole = try options("whole")
    let reference = try Self.run(whole)
    #expect(reference.isDone && reference.trajectories == 14)

    var parts = try options("parts")
    #expect(try !Self.run(parts, Stops(respond: 5)).isDone)
    let collected = try Self.run(parts, Stops(iterate: 6))
    #expect(!collected.isDone && collected.trajectories == 6)
    let first = try Self.run(parts, Stops(train: 3))
    #expect(!first.isDone && first.progress.map(\.step) == [1, 2, 3])
    // States that are computed anew are those that were kept.
    parts.memory = 0
    let second = try Self.run(parts)
    #expect(second.isDone && second.progress.map(\.step) == [4, 5, 6, 7, 8])

    #expect(
      try TinyTraining.tensors(whole.output.appending(path: "checkpoint.safetensors"))
        == TinyTraining.tensors(parts.output.appending(path: "checkpoint.safetensors")))
    var names = [
      "responses/0000000.responses.zst", "trajectories-4/0000000.trajectories.zst",
      "model.safetensors", "config.json", "tokenizer.model",
    ]
    if growthStep != nil { names.append("trajectories-8/manifest.json") }
    for name in names {
      #expect(
        try Data(contentsOf: whole.output.appending(path: name))
          == Data(contentsOf: parts.output.appending(path: name)), "\(name)")
    }
    let progress = first.progress + second.progress
    #expect(progress.map(\.loss) == reference.progress.map(\.loss))
    #expect(progress.map(\.evaluation) == reference.progress.map(\.evaluation))
    #expect(progress.compactMap(\.evaluation).count == 2)
    #expect(Set(progress.map(\.loss)).count == 8)

    let source = try Checkpoint(directory: whole.target)
    let forced = try Checkpoint(directory: whole.output)
    func bytes(_ checkpoint: Checkpoint, _ name: String) throws -> Data {
      try checkpoint.withBytes(of: name) { Data($0) }
    }
    for name in source.names {
      let isKept = !trainsEmbedding && name == "model.embed_tokens.weight"
      #expect(try (bytes(source, name) == bytes(forced, name)) == isKept, "\(name)")
    }
  }

  @Test func `what it reports is what the engine does`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "forced", threads: 1)
    options.steps = 30
    options.learningRate = 3e-3
    options.objective.clean = 1
    options.evaluateEvery = 0
    let progress = try Self.run(options).progress
    let losses = progress.map(\.noisyLoss)
    let (early, late) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
    #expect(late < 0.9 * early, "\(losses)")
    let end = try #require(progress.last?.evaluation)
    let start = try #require(progress.last?.original)
    #expect(end != start && end.plain.outputs == 3 && end.full.tokens == end.plain.tokens)

    // The same text, token by token.
    let tokenizer = try TokenizerLoader.load(directory: options.output)
    let text = try String(contentsOf: #require(options.heldout), encoding: .utf8)
    let ids = Array(tokenizer.encode(text, addSpecial: false).prefix(60))
    for (folder, evaluation) in [(options.target, start), (options.output, end)] {
      let model = try CausalModel(directory: folder)
      let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 1)
      let cache = try runner.makeCache(capacity: 60)
      var bits = 0.0
      for (token, next) in zip(ids, ids.dropFirst()) {
        runner.read([token], into: cache, logits: .last)
        let row = Array(
          UnsafeBufferPointer(
            start: runner.logits, count: model.configuration.vocabularySize))
        let nats: Double = -ForcingFixture.logProbabilities(row)[Int(next)]
        bits += nats / log(2.0)
      }
      let bytes = ids.dropFirst().reduce(0) { $0 + tokenizer.bytes(of: $1).count }
      #expect(abs(bits / 59 - evaluation.bitsPerToken) < 1e-4)
      #expect(abs(bits / Double(bytes) - evaluation.bitsPerByte) < 1e-4)
    }
  }

  @Test func `trajectories made before teach what those made on the way do`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "one", threads: 1)
    let progress = try Self.run(options).progress
    /// Makes trajectories alone, and stops after so many.
    func make(_ options: ForceOptions, limit: Int = .max) throws {
      let recipe = try ForceRecipe(options, makesData: true)
      let responses = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
      var count = 0
      _ = try recipe.iterate(
        responses, shouldStop: { count >= limit }, report: { _ in count += 1 })
    }
    var data = try Self.options(folder, output: "data", threads: 1)
    try make(data)
    options.trajectories = .made(data.output)
    options.output = folder.file("two")
    #expect(try Self.run(options).progress.map(\.loss) == progress.map(\.loss))

    // Longer blocks along the first responses alone: those are what a run with both visits.
    data.growthStep = 2
    try make(data, limit: 6)
    options.growthStep = 2
    options.output = folder.file("three")
    let recipe = try ForceRecipe(options)
    let responses = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    let made = try #require(
      try recipe.iterate(responses, shouldStop: { false }, report: { _ in }))
    #expect(responses.count == 14 && made.mapValues(\.count) == [4: 6, 8: 6])
    #expect(try recipe.training(made).run(shouldStop: { false }, report: { _ in }))
    options.growthStep = nil
    options.blockSize = 5
    options.output = folder.file("four")
    let path = data.output.appending(path: "trajectories-5").path
    #expect(
      throws: SpeculateError(
        "\(path) holds no trajectories: give a folder that 'speculate force data' wrote")
    ) { _ = try Self.run(options) }
  }

  @Test func `what can't be is refused`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "forced", threads: 1)
    guard case .make(var responses) = options.trajectories else { return }
    responses.temperature = 1
    options.trajectories = .make(responses)
    #expect(
      throws: SpeculateError(
        "responses at temperature 1.0 are no fixed points of greedy iteration: leave out "
          + "‘temperature’")
    ) { _ = try Self.run(options) }
    responses.temperature = 0
    options.trajectories = .make(responses)
    options.precision = .bf16
    _ = try Self.run(options, Stops(train: 1))
    let checkpoint = options.output.appending(path: "checkpoint.safetensors").path
    options.precision = .f32
    #expect(
      throws: SpeculateError(
        "\(checkpoint) was made with ‘precision’ bf16: give it again, leave it out, or give another "
          + "‘output’")
    ) { _ = try Self.run(options) }
    options.precision = nil
    options.blockSize = 5
    #expect(
      throws: SpeculateError(
        "\(options.output.path) was begun with another ‘block’ (4): give it again, or another ‘output’"
      )
    ) { _ = try Self.run(options) }

    var configuration = TinyTraining.architecture().configuration(type: .f32)
    configuration.tiesEmbeddings = false
    #expect(
      throws: SpeculateError(
        "x has a head of its own, which can't be trained here: give a Qwen3 model with a tied head, "
          + "no biases, full attention, plain rotary angles and float weights")
    ) { try CausalArchitecture(configuration, name: "x") }
  }
}
