import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// Distillation from a target's folder to a drafter's folder.
@Suite struct DistillRecipeTests {
  /// Where a session is to stop: after so many questions, in each of its parts.
  struct Stops {
    var respond = Int.max
    var train = Int.max
  }

  static func options(
    _ folder: TemporaryFolder, output: String, threads: Int
  ) throws -> DistillOptions {
    let target = folder.file("target")
    if !FileManager.default.fileExists(atPath: target.path) {
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: false)
      let architecture = TinyTraining.architecture(layers: 3)
      try ModelExport.write(
        TinyTraining.livelyModel(architecture, seed: 6),
        configuration: architecture.configuration(type: .f32),
        tokenizer: try folder.write(TinyTokenizer.data, to: "tiny.model"), to: target)
    }
    let data = try folder.write(TinyTraining.tokens(1500, seed: 1), to: "train.u16")
    let heldout = try folder.write(TinyTraining.tokens(600, seed: 2), to: "heldout.u16")
    var options = DistillOptions(
      target: target, responses: .make(responses(data, count: 14, length: 24)),
      output: folder.file(output), threads: threads)
    options.heldout = responses(heldout, count: 5, length: 20)
    options.blockSize = 4
    options.shortestBlock = 3
    options.targetLayers = [0, 2]
    options.draftVocabulary = 20
    options.heads = [MarkovHeadTraining(rank: 4)]
    options.anchors = 6
    options.sequences = 5
    options.steps = 8
    options.evaluateEvery = 4
    options.logEvery = 1
    return options
  }

  static func responses(_ file: URL, count: Int, length: Int) -> ResponseOptions {
    var options = ResponseOptions(data: .tokens(file))
    options.count = count
    options.promptLengths = 3...9
    options.length = length
    options.batch = 4
    return options
  }

  /// One session; returns the steps it took, and whether it came to the end.
  static func run(
    _ options: DistillOptions, _ stops: Stops = Stops()
  ) throws -> (progress: [DistillProgress], responses: Int, isDone: Bool) {
    let recipe = try DistillRecipe(options)
    var (asked, responses) = (0, 0)
    let respond = try recipe.respond(
      shouldStop: {
        asked += 1
        return asked >= stops.respond
      }, report: { responses = $0.responses })
    guard let made = respond, let heldout = try recipe.respondHeldout(shouldStop: { false })
    else { return ([], responses, false) }
    var progress: [DistillProgress] = []
    let training = try recipe.training(made, heldout: heldout)
    let isDone = try training.run(
      shouldStop: { training.stepCount - training.resumedStep >= stops.train },
      report: { progress.append($0) })
    return (progress, made.count, isDone)
  }

  @Test(arguments: [
    (1, DraftObjective(), nil),
    (2, DraftObjective(divergence: 0.5, variation: 0.5, rowWeights: .pace), nil),
    (1, DraftObjective(certainty: 0.5, rowWeights: .pace), ConfidenceHeadTraining()),
    (2, DraftObjective(), ConfidenceHeadTraining(label: .variation)),
  ])
  func `a resumed distillation is to the bit the uninterrupted one`(
    threads: Int, objective: DraftObjective, confidence: ConfidenceHeadTraining?
  ) throws {
    let folder = try TemporaryFolder()
    var whole = try Self.options(folder, output: "whole", threads: threads)
    whole.objective = objective
    if let confidence { whole.heads.append(confidence) }
    whole.precision = threads == 1 ? .f32 : .bf16
    let reference = try Self.run(whole)
    #expect(reference.isDone && reference.responses == 14)

    var parts = try Self.options(folder, output: "parts", threads: threads)
    parts.objective = objective
    parts.heads = whole.heads
    parts.precision = whole.precision
    let first = try Self.run(parts, Stops(respond: 30))
    #expect(!first.isDone && (1..<14).contains(first.responses), "\(first.responses) responses")
    let second = try Self.run(parts, Stops(train: 2))
    #expect(!second.isDone && second.progress.map(\.step) == [1, 2])
    parts.precision = nil  // the checkpoint knows
    // Features that are computed anew are those that were kept.
    parts.memory = 0
    let third = try Self.run(parts, Stops(train: 3))
    #expect(!third.isDone && third.progress.map(\.step) == [3, 4, 5])
    let last = try Self.run(parts)
    #expect(last.isDone && last.progress.map(\.step) == [6, 7, 8])

    let tensors = try TinyTraining.tensors(whole.output.appending(path: "checkpoint.safetensors"))
    #expect(tensors["first.markov_head.markov_w2.weight"] != nil)
    #expect(
      try tensors
        == TinyTraining.tensors(parts.output.appending(path: "checkpoint.safetensors")))
    for name in [
      "responses/0000000.responses.zst", "heldout-responses/manifest.json", "model.safetensors",
      "config.json",
    ] {
      #expect(
        try Data(contentsOf: whole.output.appending(path: name))
          == Data(contentsOf: parts.output.appending(path: name)), "\(name)")
    }
    let progress = second.progress + third.progress + last.progress
    #expect(progress.map(\.loss) == reference.progress.map(\.loss))
    #expect(progress.map(\.acceptanceLength) == reference.progress.map(\.acceptanceLength))
    #expect(progress.compactMap(\.acceptanceLength).count == 2)
    #expect(Set(progress.map(\.loss)).count == 8)
  }

  /// The options of a drafter that sees tokens and learns in both stages.
  static func tokenOptions(
    _ folder: TemporaryFolder, output: String, threads: Int
  ) throws -> DistillOptions {
    var options = try options(folder, output: output, threads: threads)
    options.kind = .tokens
    (options.targetLayers, options.shortestBlock) = (nil, nil)
    options.stages = TokenStages(refinementSteps: 4)
    return options
  }

  @Test(arguments: [(1, false), (2, true)])
  func `both stages of a drafter that sees tokens resume to the bit`(
    threads: Int, ownsEmbedding: Bool
  ) throws {
    let folder = try TemporaryFolder()
    var whole = try Self.tokenOptions(folder, output: "whole", threads: threads)
    whole.ownsEmbedding = ownsEmbedding
    if ownsEmbedding { whole.objective = DraftObjective(divergence: 0.5) }
    let reference = try Self.run(whole)
    #expect(reference.isDone)
    #expect(reference.progress.map(\.stage) == [1, 1, 1, 1, 2, 2, 2, 2])

    var parts = whole
    parts.output = folder.file("parts")
    var progress: [DistillProgress] = []
    for stop in [3, 2, 2] {
      let part = try Self.run(parts, Stops(train: stop))
      #expect(!part.isDone)
      progress += part.progress
    }
    progress += try Self.run(parts).progress
    #expect(progress.map(\.loss) == reference.progress.map(\.loss))
    #expect(progress.map(\.acceptanceLength) == reference.progress.map(\.acceptanceLength))
    #expect(Set(progress.map(\.loss)).count == 8)
    #expect(
      try TinyTraining.tensors(whole.output.appending(path: "checkpoint.safetensors"))
        == TinyTraining.tensors(parts.output.appending(path: "checkpoint.safetensors")))
    for name in ["model.safetensors", "config.json"] {
      #expect(
        try Data(contentsOf: whole.output.appending(path: name))
          == Data(contentsOf: parts.output.appending(path: name)), "\(name)")
    }
    let written = try DrafterConfiguration(directory: whole.output)
    #expect(written.kind == .tokens && written.ownsEmbedding == ownsEmbedding)
    #expect(written.shortestBlock == 2 && written.targetLayers.isEmpty)
  }

  /// What the stages do to a block: the first takes one noise level after another, the second none.
  @Test func `stages mask as they say`() throws {
    let tokens = (0..<400).map { Token($0 % 40) }
    let choices = (0..<40).map { Int32($0 < 30 ? $0 : -1) }
    let anchors = Array(0..<399)
    let whole = DraftExample(
      tokens: tokens, anchors: anchors, blockSize: 9, decay: nil, choices: choices)
    var noisy = whole
    var random = KeyedRandom(seed: 1, key: "noise")
    noisy.addNoise(from: tokens, least: 0.25, maskedShare: 0.5, random: &random)
    var masked = 0
    var levels: Set<Float> = []
    for (block, anchor) in anchors.enumerated() {
      let drafts = block * 8..<block * 8 + 8
      #expect(noisy.shown[block * 9] == tokens[anchor])
      for (row, draft) in drafts.enumerated() {
        let shown = noisy.shown[block * 9 + row + 1]
        let position = anchor + row + 1
        if shown < 0 {
          #expect(noisy.targets[draft] == whole.targets[draft])
          levels.insert(noisy.weights[draft])
        } else {
          #expect(shown == tokens[position] && noisy.targets[draft] == -1)
        }
      }
      if noisy.weights[drafts] == whole.weights[drafts] { masked += 1 }
    }
    #expect(levels.allSatisfy { (1...4).contains($0) } && levels.contains(1) && levels.count > 100)
    #expect((150...250).contains(masked), "\(masked) of 399 blocks are masked entirely")
    // 1/t makes up for the rows that are shown.
    #expect(abs(noisy.totalWeight / whole.totalWeight - 1) < 0.1)
    #expect(noisy.labels == whole.labels && noisy.uncovered == whole.uncovered)

    let rising = DraftWeights.rising(blockSize: 4, alpha: 1.01)
    #expect(zip(rising, [1.0201, 1.01, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
    var weighed = whole
    weighed.weigh([2, 1, 1, 1, 1, 1, 1, 0.5])
    #expect(Array(weighed.weights[7..<9]) == [0.5, 2])
  }

  @Test func `a drafter that sees tokens starts as the target's first layers`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.tokenOptions(folder, output: "drafter", threads: 1)
    (options.ownsEmbedding, options.steps, options.exportType) = (true, 1, .f32)
    (options.stages.refinementSteps, options.learningRate) = (0, 1e-12)
    _ = try Self.run(options)
    let target = try Checkpoint(directory: options.target)
    let drafter = try Checkpoint(file: options.output.appending(path: "model.safetensors"))
    for (own, other) in [
      ("layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"),
      ("layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.q_proj.weight"),
      ("embed_tokens.weight", "model.embed_tokens.weight"), ("norm.weight", "model.norm.weight"),
    ] {
      let shape = try #require(drafter.shape(of: own))
      let (values, origin) = (
        try drafter.floats(own, shape: shape), try target.floats(other, shape: shape)
      )
      #expect((0..<values.count).allSatisfy { abs(values.base[$0] - origin.base[$0]) < 1e-6 })
    }

    options.output = folder.file("narrow")
    options.width = 16
    options.initialization = .target
    #expect(
      throws: SpeculateError(
        "the drafter can't start as layers of the target, whose shape differs: give ‘init’ random")
    ) {
      _ = try Self.run(options)
    }
    options.width = 17
    #expect(
      throws: SpeculateError(
        "‘width’ 17 is no multiple of the target's head width 8: give one")
    ) {
      _ = try Self.run(options)
    }
    options.width = 16
    options.initialization = nil
    #expect(try Self.run(options).isDone)
    let written = try DrafterConfiguration(directory: options.output)
    #expect(written.ownsEmbedding && written.shape.hidden == 16 && written.shape.heads == 2)
  }

  @Test(arguments: DrafterKind.allCases)
  func `the acceptance it reports is that of serving what it wrote`(kind: DrafterKind) throws {
    let folder = try TemporaryFolder()
    var options =
      kind == .tokens
      ? try Self.tokenOptions(folder, output: "drafter", threads: 1)
      : try Self.options(folder, output: "drafter", threads: 1)
    options.steps = 60
    options.learningRate = 1e-2
    options.evaluateEvery = 0
    options.heldout?.count = 12
    let recipe = try DistillRecipe(options)
    let made = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    let heldout = try #require(try recipe.respondHeldout(shouldStop: { false }))
    #expect(heldout.count == 12)
    let training = try recipe.training(made, heldout: heldout)
    var last: DistillProgress?
    #expect(try training.run(shouldStop: { false }, report: { last = $0 }))
    let simulated = try #require(try training.evaluate())
    #expect(last?.acceptanceLength == simulated.acceptanceLength)
    #expect(last?.survival == simulated.survival)
    #expect(last?.loopShare == simulated.loopShare && simulated.answers == 12)
    #expect(last?.looplessAcceptanceLength == simulated.looplessAcceptanceLength)
    // What the report says of the engine that generates: the same rounds, field by field.
    let generated = try #require(last?.generated)
    #expect(generated.acceptance == simulated && generated.differing == 0)
    #expect(try training.generate() == generated)
    let line = try #require(
      try String(contentsOf: options.output.appending(path: "metrics.jsonl"), encoding: .utf8)
        .split(separator: "\n").last)
    #expect(try JSONDecoder().decode(DistillProgress.self, from: Data(line.utf8)) == last)

    let served = try ServedAcceptance.statistics(
      target: CausalModel(directory: options.target),
      drafter: BlockDrafter(directory: options.output), responses: heldout)
    ServedAcceptance.expect(simulated, equals: served)
    #expect(simulated.histogram.filter { $0 > 0 }.count >= 2, "\(simulated.histogram)")
  }

  @Test func `responses made before teach what those made on the way do`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "one", threads: 1)
    let progress = try Self.run(options).progress
    options.responses = .made([options.output.appending(path: "responses")])
    options.output = folder.file("two")
    #expect(try Self.run(options).progress.map(\.loss) == progress.map(\.loss))

    // Of several folders the answers of one follow those of the other.
    let one = options.responses
    if case .made(let folders) = one { options.responses = .made(folders + folders) }
    options.output = folder.file("both")
    let recipe = try DistillRecipe(options)
    let twice = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    #expect(
      twice.prefix(twice.count / 2).map(\.tokens) == twice.suffix(twice.count / 2).map(\.tokens))
    #expect(twice.count > 1 && twice.count.isMultiple(of: 2))
    options.responses = one
    options.output = folder.file("other")

    let other = TinyTraining.livelyModel(TinyTraining.architecture(layers: 3), seed: 8)
    try ModelExport.write(
      other, configuration: TinyTraining.architecture(layers: 3).configuration(type: .f32),
      tokenizer: try folder.write(TinyTokenizer.data, to: "tiny.model"),
      to: folder.file("target"))
    #expect(
      throws: SpeculateError(
        "\(folder.file("one").appending(path: "responses").path) holds another target's responses: "
          + "make some with 'speculate distill data'")
    ) {
      _ = try Self.run(options)
    }
  }

  @Test func `a drafter that starts as another drafts as that one does`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "first", threads: 1)
    options.steps = 60
    options.learningRate = 1e-2
    options.heldout?.count = 12
    let reached = try #require(try Self.run(options).progress.last?.survival)
    #expect(reached.contains { $0 > 0.1 })

    options.initialization = .drafter(options.output)
    options.output = folder.file("second")
    options.draftVocabulary = 10  // the other drafter's counts
    let recipe = try DistillRecipe(options)
    let made = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    let heldout = try #require(try recipe.respondHeldout(shouldStop: { false }))
    let training = try recipe.training(made, heldout: heldout)
    #expect(try training.evaluate()?.survival == reached)

    options.output = folder.file("third")
    options.layerCount = 1
    #expect(throws: SpeculateError.self) {
      try DistillRecipe(options).training(made, heldout: heldout)
    }
  }

  @Test func `the target's distributions are learnt`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "drafter", threads: 1)
    options.objective = DraftObjective(crossEntropy: 0, divergence: 1)
    options.steps = 40
    options.learningRate = 1e-2
    let losses = try Self.run(options).progress.map(\.loss)
    // A divergence from lively distributions begins high and can't fall below 0.
    #expect(losses.allSatisfy { $0 > 0 } && losses[39] < losses[0] / 2, "\(losses)")
  }

  /// A head alone: it learns about a drafter that stays as it is.
  @Test(arguments: ConfidenceHeadTraining.Label.allCases)
  func `confidence is learnt`(label: ConfidenceHeadTraining.Label) throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "drafter", threads: 1)
    options.steps = 60
    options.learningRate = 1e-2
    let plain = try Self.run(options).progress.last
    let before = try TinyTraining.tensors(options.output.appending(path: "model.safetensors"))

    options.initialization = .drafter(options.output)
    options.output = folder.file("sure")
    options.objective = DraftObjective(crossEntropy: 0)
    options.heads.append(ConfidenceHeadTraining(label: label))
    options.optimizer.weightDecay = 0
    let sure = try Self.run(options).progress
    let losses = sure.map(\.loss)
    #expect(losses.suffix(15).reduce(0, +) < losses.prefix(15).reduce(0, +), "\(losses)")
    #expect(sure.last?.survival == plain?.survival)
    var after = try TinyTraining.tensors(options.output.appending(path: "model.safetensors"))
    for name in ["proj.weight", "proj.bias", "own.weight"] {
      #expect(after.removeValue(forKey: "confidence_head.\(name)") != nil)
    }
    #expect(after == before)
    #expect(
      try DrafterConfiguration(directory: options.output).heads
        == DrafterHeads(MarkovHeadConfiguration(rank: 4), ConfidenceHeadConfiguration()))

    options.output = folder.file("lost")
    options.initialization = .drafter(folder.file("sure"))
    options.objective = DraftObjective()
    options.heads = [MarkovHeadTraining(rank: 4)]
    #expect(
      throws: SpeculateError(
        "the drafter in \(folder.file("sure").path) has a confidence head, which would be lost: train "
          + "one of the same size too, or ‘init’ random")
    ) {
      _ = try Self.run(options)
    }
  }

  @Test func `another seed is refused where responses lie`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "drafter", threads: 1)
    _ = try Self.run(options, Stops(train: 1))
    guard case .make(var wanted) = options.responses else { return }
    wanted.seed = 2
    options.responses = .make(wanted)
    #expect(
      throws: SpeculateError(
        "\(options.output.appending(path: "responses").path) was begun with another ‘seed’ (1): give "
          + "it again, or another ‘output’")
    ) {
      _ = try Self.run(options)
    }
    wanted.seed = 1
    options.responses = .make(wanted)
    options.blockSize = 5
    #expect(
      throws: SpeculateError(
        "\(options.output.path) was begun with another ‘block size’ (4): give it again, or another "
          + "‘output’")
    ) {
      _ = try Self.run(options)
    }
  }
}
