import Files
import Foundation
import TestSupport
import Tensors
import Testing
import Training

/// Trainings of several ranks, here threads with messages between them, against one process.
@Suite struct RankTests {
  /// How a training is spread: lanes of all, threads of each rank.
  struct Spread: Sendable {
    var ranks: Int
    var threads: Int
  }

  /// Five lanes divide by none of these but one.
  static let spreads = [
    Spread(ranks: 1, threads: 2), Spread(ranks: 2, threads: 1), Spread(ranks: 3, threads: 2),
    Spread(ranks: 4, threads: 1),
  ]

  private func checkpoint(_ output: URL) throws -> [String: Data] {
    try TinyTraining.tensors(output.appending(path: "checkpoint.safetensors"))
  }

  /// Runs a pretraining on every rank; returns what the first one reported and how many steps all took.
  private func pretrain(
    _ options: PretrainOptions, _ spread: Spread, stopAfter limit: Int = .max, stopper: Int = 0
  ) throws -> (progress: [PretrainProgress], steps: [Int]) {
    let results = try ThreadRanks.run(spread.ranks) { rank in
      var own = options
      (own.run.ranks, own.run.threads) = (rank, spread.threads)
      let recipe = try PretrainRecipe(own)
      var progress: [PretrainProgress] = []
      try recipe.run(
        shouldStop: {
          rank.rank == stopper && recipe.stepCount - recipe.resumedStep >= limit - 1
        }, report: { progress.append($0) })
      return (progress, recipe.stepCount)
    }
    #expect(results.dropFirst().allSatisfy { $0.0.isEmpty }, "one rank reports")
    return (results[0].0, results.map(\.1))
  }

  @Test(arguments: spreads)
  func `a pretraining has the same bits on any number of ranks`(spread: Spread) throws {
    let folder = try TemporaryFolder()
    // As many threads as lanes, which is how it was before there were lanes.
    var options = try PretrainRecipeTests.options(folder, output: "one", threads: 5)
    (options.sequences, options.microSequences) = (7, 2)
    let reference = try PretrainRecipeTests.run(options).progress
    options.output = folder.file("spread")
    options.lanes = 5
    let (progress, steps) = try pretrain(options, spread)
    #expect(steps == [Int](repeating: 6, count: spread.ranks))
    #expect(progress.map(\.loss) == reference.map(\.loss))
    #expect(progress.map(\.gradientNorm) == reference.map(\.gradientNorm))
    #expect(progress.map(\.heldoutLoss) == reference.map(\.heldoutLoss))
    #expect(try checkpoint(options.output) == checkpoint(folder.file("one")))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: options.output.path).sorted()
        == FileManager.default.contentsOfDirectory(atPath: folder.file("one").path).sorted())
  }

  @Test func `a run goes on with another number of ranks and threads`() throws {
    let folder = try TemporaryFolder()
    var options = try PretrainRecipeTests.options(folder, output: "one", threads: 3)
    (options.sequences, options.microSequences) = (7, 2)
    try PretrainRecipeTests.run(options)
    options.output = folder.file("parts")
    // Three ranks of one thread begin: three lanes, as three threads.
    var steps = try pretrain(options, Spread(ranks: 3, threads: 1), stopAfter: 2, stopper: 1).steps
    #expect(steps == [2, 2, 2])
    steps = try pretrain(options, Spread(ranks: 2, threads: 2), stopAfter: 2, stopper: 1).steps
    #expect(steps == [4, 4])
    steps = try pretrain(options, Spread(ranks: 1, threads: 4)).steps
    #expect(steps == [6])
    #expect(try checkpoint(options.output) == checkpoint(folder.file("one")))

    options.lanes = 2
    let path = options.output.appending(path: "checkpoint.safetensors").path
    #expect(
      throws: SpeculateError(
        "\(path) was made with ‘lanes’ 3: give it again, leave it out, or give another ‘output’")
    ) { _ = try PretrainRecipe(options) }
    options.lanes = nil
    options.sumPrecision = .bf16
    #expect(
      throws: SpeculateError(
        "\(path) was made with ‘exchange’ f32: give it again, leave it out, or give another ‘output’"
      )
    ) { _ = try PretrainRecipe(options) }
    options.sumPrecision = nil
    #expect(
      throws: SpeculateError(
        "the run has 3 ‘lanes’, fewer than its 4 ranks: start at most 3, or give another ‘output’")
    ) { try pretrain(options, Spread(ranks: 4, threads: 1)) }
  }

  /// A header of an earlier version, which knows threads alone.
  @Test func `a checkpoint without lanes has one a thread`() throws {
    let old = Data(#"{"step":1,"seconds":2,"seed":3,"threads":4}"#.utf8)
    let position = try JSONDecoder().decode(RunPosition.self, from: old)
    #expect(position.lanes == nil && position.sums == nil && position.threads == 4)
  }

  @Test func `sums in bf16 don't depend on ranks either`() throws {
    let folder = try TemporaryFolder()
    var options = try PretrainRecipeTests.options(folder, output: "f32", threads: 3)
    try PretrainRecipeTests.run(options)
    options.sumPrecision = .bf16
    options.output = folder.file("one")
    try PretrainRecipeTests.run(options)
    options.output = folder.file("three")
    _ = try pretrain(options, Spread(ranks: 3, threads: 1))
    let values = try checkpoint(options.output)
    #expect(try values == checkpoint(folder.file("one")))
    #expect(try values != checkpoint(folder.file("f32")))
  }

  /// Distils on every rank; returns what the first reported.
  private func distill(_ options: DistillOptions, _ spread: Spread) throws -> [DistillProgress] {
    try ThreadRanks.run(spread.ranks) { rank in
      var own = options
      (own.run.ranks, own.run.threads) = (rank, spread.threads)
      let recipe = try DistillRecipe(own)
      let made = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
      let heldout = try #require(try recipe.respondHeldout(shouldStop: { false }))
      var progress: [DistillProgress] = []
      try recipe.training(made, heldout: heldout)
        .run(shouldStop: { false }, report: { progress.append($0) })
      return progress
    }[0]
  }

  @Test(arguments: spreads)
  func `a distillation has the same bits on any number of ranks`(spread: Spread) throws {
    let folder = try TemporaryFolder()
    var options = try DistillRecipeTests.options(folder, output: "one", threads: 5)
    options.objective.divergence = 0.5
    options.savesBest = true
    let reference = try DistillRecipeTests.run(options).progress
    options.output = folder.file("spread")
    options.lanes = 5
    let progress = try distill(options, spread)
    #expect(progress.map(\.loss) == reference.map(\.loss))
    #expect(progress.map(\.acceptanceLength) == reference.map(\.acceptanceLength))
    #expect(progress.map(\.bestStep) == reference.map(\.bestStep))
    #expect(progress.last?.generated == reference.last?.generated)
    #expect(try checkpoint(options.output) == checkpoint(folder.file("one")))
    for name in [
      "responses/0000000.responses.zst", "responses/manifest.json", "model.safetensors",
      "heldout-responses/manifest.json", "best/model.safetensors", "samples.json",
    ] {
      #expect(
        try Data(contentsOf: options.output.appending(path: name))
          == Data(contentsOf: folder.file("one/\(name)")), "\(name)")
    }
  }

  @Test(arguments: spreads)
  func `a forcing has the same bits on any number of ranks`(spread: Spread) throws {
    let folder = try TemporaryFolder()
    var options = try ForceRecipeTests.options(folder, output: "one", threads: 5)
    options.objective = ForcingObjective(clean: 0.5, divergence: 2)
    options.growthStep = 5
    let reference = try ForceRecipeTests.run(options).progress
    options.output = folder.file("spread")
    options.lanes = 5
    let progress = try ThreadRanks.run(spread.ranks) { [options] rank in
      var own = options
      (own.run.ranks, own.run.threads) = (rank, spread.threads)
      let recipe = try ForceRecipe(own)
      let responses = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
      let made = try #require(
        try recipe.iterate(responses, shouldStop: { false }, report: { _ in }))
      var progress: [ForceProgress] = []
      try recipe.training(made).run(shouldStop: { false }, report: { progress.append($0) })
      return progress
    }[0]
    #expect(progress.map(\.loss) == reference.map(\.loss))
    #expect(progress.map(\.evaluation) == reference.map(\.evaluation))
    #expect(try checkpoint(options.output) == checkpoint(folder.file("one")))
    for name in [
      "responses/0000000.responses.zst", "trajectories-4/0000000.trajectories.zst",
      "trajectories-8/manifest.json", "model.safetensors",
    ] {
      #expect(
        try Data(contentsOf: options.output.appending(path: name))
          == Data(contentsOf: folder.file("one/\(name)")), "\(name)")
    }
  }

  /// Whoever is told to stop, the first rank or another, all stop, and the next session goes on.
  @Test(arguments: [0, 2])
  func `answers that were stopped go on`(stopper: Int) throws {
    let folder = try TemporaryFolder()
    let options = try DistillRecipeTests.options(folder, output: "one", threads: 1)
    _ = try DistillRecipeTests.run(options)
    var parts = options
    parts.output = folder.file("parts")
    let made = try ThreadRanks.run(3) { [parts] rank in
      var own = parts
      own.run.ranks = rank
      var asked = 0
      return try DistillRecipe(own).respond(
        shouldStop: {
          asked += 1
          return rank.rank == stopper && asked > 20
        }, report: { _ in })?.count
    }
    #expect(made == [nil, nil, nil])
    let all = try ThreadRanks.run(2) { [parts] rank in
      var own = parts
      own.run.ranks = rank
      return try DistillRecipe(own).respond(shouldStop: { false }, report: { _ in })
    }
    #expect(all[0]?.count == 14 && all[0] == all[1])
    #expect(
      try Data(contentsOf: parts.output.appending(path: "responses/0000000.responses.zst"))
        == Data(contentsOf: folder.file("one/responses/0000000.responses.zst")))
  }

  @Test func `ranks of other data are told`() throws {
    let folder = try TemporaryFolder()
    let options = try PretrainRecipeTests.options(folder, output: "run", threads: 1)
    let other = try folder.write(TinyTraining.tokens(3000, seed: 8), to: "other.u16")
    let error = #expect(throws: SpeculateError.self) {
      try ThreadRanks.run(2) { rank in
        var own = options
        own.run.ranks = rank
        if rank.rank == 1 { own.trainingTokens = other }
        return try PretrainRecipe(own).stepCount
      }
    }
    let text = try "\(#require(error))"
    #expect(text.hasPrefix("rank 1 on \(hostName) has another ‘tokens’ (fingerprint "))
    #expect(text.hasSuffix("): give all ranks the same files and options"))
  }
}
