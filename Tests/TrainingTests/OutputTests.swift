import Drafter
import Files
import Foundation
import TestSupport
import Testing
import Tensors
import Training

/// No run writes where something else lies, and none beside another.
@Suite struct OutputTests {
  private func complaint(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  /// Everything in a folder, by its name.
  private func contents(_ folder: URL) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return Dictionary(
      uniqueKeysWithValues: names.map { name in
        (name, (try? Data(contentsOf: folder.appending(path: name))) ?? Data())
      })
  }

  @Test func `a target is never written over`() throws {
    let folder = try TemporaryFolder()
    var distill = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    var force = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    let target = distill.target
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
    let before = try contents(target)
    for (output, relation) in [
      (target, "is"), (target.appending(path: "."), "is"), (link, "is"),
      (target.appending(path: "sub"), "lies in"), (folder.url, "holds"),
    ] {
      let expected =
        "\(output.path) \(relation) the ‘target’ \(target.path): give an ‘output’ apart from it"
      distill.output = output
      force.output = output
      #expect(complaint { _ = try DistillRecipe(distill) } == expected)
      #expect(complaint { _ = try ForceRecipe(force) } == expected)
      guard case .make(let answers) = distill.responses else { return }
      #expect(
        complaint {
          _ = try ResponseRecipe(target: target, workers: Workers(count: 1)).run(
            answers, folder: output, shouldStop: { false }, report: { _ in })
        } == expected)
    }
    #expect(try contents(target) == before)
  }

  @Test func `a finished model and another command's folder are refused`() throws {
    let folder = try TemporaryFolder()
    let distill = try DistillRecipeTests.options(folder, output: "one", threads: 1)
    var force = try ForceRecipeTests.options(folder, output: "one", threads: 1)
    var pretrain = try PretrainRecipeTests.options(folder, output: "other")
    let foreign = folder.file("other")
    try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: false)
    try Data("{}".utf8).write(to: foreign.appending(path: "config.json"))
    #expect(
      complaint { _ = try PretrainRecipe(pretrain) }
        == "\(foreign.path) holds \"config.json\", which 'pretrain' didn't begin: give another ‘output’"
    )
    force.output = foreign
    #expect(
      complaint { _ = try ForceRecipe(force) }
        == "\(foreign.path) holds \"config.json\", which 'force' didn't begin: give another ‘output’"
    )
    _ = try DistillRecipe(distill)
    let begun = "\(distill.output.path) was begun by 'distill': give another ‘output’"
    force.output = distill.output
    pretrain.output = distill.output
    #expect(complaint { _ = try ForceRecipe(force) } == begun)
    #expect(complaint { _ = try PretrainRecipe(pretrain) } == begun)
    #expect(complaint { _ = try DistillRecipe(distill) } == "no error")
    // Answers of a run belong to it.
    guard case .make(let answers) = distill.responses else { return }
    let recipe = try DistillRecipe(distill)
    _ = try recipe.respond(shouldStop: { false }, report: { _ in })
    let own = distill.output.appending(path: "responses")
    #expect(
      complaint {
        _ = try ResponseRecipe(target: distill.target, workers: Workers(count: 1)).run(
          answers, folder: own, shouldStop: { false }, report: { _ in })
      }.hasSuffix("which 'distill data' didn't begin: give another ‘output’"))
  }

  /// A folder with a run in it, and how the run differs from the one that would go on.
  private func expectRefused<Options>(
    _ options: Options, in folder: URL, _ start: (Options) throws -> Void,
    _ changes: [(name: String, change: (inout Options) -> Void)]
  ) throws {
    try start(options)
    let before = try contents(folder)
    for (name, change) in changes {
      var other = options
      change(&other)
      let told = complaint { try start(other) }
      #expect(told.hasPrefix("\(folder.path)") && told.contains(" was begun with"), "\(told)")
      #expect(told.contains("‘\(name)’"), "\(name): \(told)")
      #expect(try contents(folder) == before, "\(name)")
    }
    #expect(complaint { try start(options) } == "no error")
  }

  @Test func `a pretraining with other settings doesn't go on in a folder`() throws {
    let folder = try TemporaryFolder()
    let options = try PretrainRecipeTests.options(folder, output: "model")
    let other = try folder.write(TinyTraining.tokens(1500, seed: 9), to: "other.u16")
    try expectRefused(
      options, in: options.output, { try PretrainRecipeTests.run($0) },
      [
        ("steps", { $0.steps = 7 }), ("batch", { $0.sequences = 4 }), ("seed", { $0.seed = 2 }),
        ("learning rate", { $0.learningRate = 0.1 }), ("clip", { $0.clip = 2 }),
        ("weight decay", { $0.optimizer.weightDecay = 0.3 }), ("length", { $0.length = 8 }),
        ("layers", { $0.architecture.layerCount = 3 }), ("skip", { $0.skippedWindows = 1 }),
        ("tokens", { $0.trainingTokens = other }), ("grow", { $0.growth = .stack }),
        ("dtype", { $0.exportType = .f32 }),
      ])
  }

  @Test func `a distillation with other settings doesn't go on in a folder`() throws {
    let folder = try TemporaryFolder()
    let options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    let other = try folder.write(TinyTraining.tokens(1500, seed: 9), to: "other.u16")
    func answers(_ options: inout DistillOptions, _ change: (inout ResponseOptions) -> Void) {
      guard case .make(var made) = options.responses else { return }
      change(&made)
      options.responses = .make(made)
    }
    try expectRefused(
      options, in: options.output, { _ = try DistillRecipeTests.run($0) },
      [
        ("steps", { $0.steps = 9 }), ("responses", { answers(&$0) { $0.count = 15 } }),
        ("response length", { answers(&$0) { $0.length = 23 } }),
        ("data", { answers(&$0) { $0.sources = [.init(.tokens(other))] } }),
        ("temperature", { answers(&$0) { $0.temperature = 1 } }),
        ("anchors", { $0.anchors = 5 }), ("markov rank", { $0.heads = [] }),
        ("confidence", { $0.heads.append(ConfidenceHeadTraining()) }),
        ("target layers", { $0.targetLayers = [1, 2] }),
        ("divergence", { $0.objective.divergence = 1 }),
        ("kind", { $0.kind = .tokens }), ("init", { $0.initialization = .random }),
        ("draft vocabulary", { $0.draftVocabulary = 21 }),
      ])
  }

  @Test func `a forcing with other settings doesn't go on in a folder`() throws {
    let folder = try TemporaryFolder()
    let options = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    try expectRefused(
      options, in: options.output, { _ = try ForceRecipeTests.run($0) },
      [
        ("steps", { $0.steps = 9 }), ("window", { $0.schedule.window = 4 }),
        ("clean", { $0.objective.clean = 1 }), ("copies", { $0.copies = 2 }),
        ("block growth", { $0.growthStep = 3 }),
        ("freeze embedding", { $0.trainsEmbedding = false }),
        (
          "responses",
          {
            guard case .make(var made) = $0.trajectories else { return }
            made.count = 13
            $0.trajectories = .make(made)
          }
        ),
      ])
  }

  @Test func `two runs don't write one folder`() throws {
    let folder = try TemporaryFolder()
    let pid = ProcessInfo.processInfo.processIdentifier
    func taken(_ url: URL) -> String {
      "\(url.path): process \(pid) is writing it; wait for that one or give another ‘output’"
    }
    let pretrain = try PretrainRecipeTests.options(folder, output: "model")
    let distill = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    let force = try ForceRecipeTests.options(folder, output: "forced", threads: 1)
    let first = (
      try PretrainRecipe(pretrain), try DistillRecipe(distill), try ForceRecipe(force)
    )
    #expect(complaint { _ = try PretrainRecipe(pretrain) } == taken(pretrain.output))
    #expect(complaint { _ = try DistillRecipe(distill) } == taken(distill.output))
    #expect(complaint { _ = try ForceRecipe(force) } == taken(force.output))
    withExtendedLifetime(first) {}
    guard case .make(let answers) = distill.responses else { return }
    let place = folder.file("answers")
    func recipe() throws -> ResponseRecipe {
      try ResponseRecipe(target: distill.target, workers: Workers(count: 1))
    }
    let data = try recipe()
    _ = try data.run(answers, folder: place, shouldStop: { true }, report: { _ in })
    #expect(
      complaint {
        _ = try recipe().run(answers, folder: place, shouldStop: { false }, report: { _ in })
      } == taken(place))
    withExtendedLifetime(data) {}
  }

  @Test func `what killed runs left is removed`() throws {
    let folder = try TemporaryFolder()
    let options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
    _ = try DistillRecipeTests.run(options, DistillRecipeTests.Stops(train: 2))
    let left = [
      ".checkpoint.safetensors.k2.tmp", "responses/.manifest.json.1a.tmp",
      "heldout-responses/.0000000.responses.zst.b.tmp",
    ]
    for name in left { try Data([1]).write(to: options.output.appending(path: name)) }
    _ = try DistillRecipeTests.run(options)
    let names = try FileManager.default.subpathsOfDirectory(atPath: options.output.path)
    #expect(names.filter { $0.hasSuffix(".tmp") } == [])
  }
}
