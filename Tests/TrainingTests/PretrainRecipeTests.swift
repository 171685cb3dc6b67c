import Files
import Foundation
import TestSupport
import Testing
import Training

/// Pretraining from files to files: resuming, growing, and what is refused.
@Suite struct PretrainRecipeTests {
  /// Options of a run of six steps into a folder of its own.
  static func options(
    _ folder: TemporaryFolder, output: String, threads: Int = 2
  ) throws -> PretrainOptions {
    let tokens = try folder.write(TinyTraining.tokens(1500, seed: 1), to: "train.u16")
    let heldout = try folder.write(TinyTraining.tokens(300, seed: 2), to: "heldout.u16")
    var options = PretrainOptions(
      trainingTokens: tokens, output: folder.file(output), threads: threads)
    options.architecture = TinyTraining.architecture()
    options.heldoutTokens = heldout
    options.length = 16
    options.sequences = 5
    options.microSequences = 2
    options.steps = 6
    options.warmup = .steps(2)
    options.evaluateEvery = 2
    options.evaluationWindows = 7
    options.logEvery = 1
    return options
  }

  /// Runs until done or for `limit` steps; returns the last progress and whether it is done.
  @discardableResult
  static func run(
    _ options: PretrainOptions, stopAfter limit: Int = .max
  ) throws -> (progress: [PretrainProgress], isDone: Bool, resumedStep: Int) {
    let recipe = try PretrainRecipe(options)
    var progress: [PretrainProgress] = []
    let isDone = try recipe.run(
      shouldStop: { recipe.stepCount - recipe.resumedStep >= limit },
      report: { progress.append($0) })
    return (progress, isDone, recipe.resumedStep)
  }

  @Test(arguments: [1, 2], ProductPrecision.allCases)
  func `a resumed run is to the bit the uninterrupted one`(
    threads: Int, precision: ProductPrecision
  ) throws {
    let folder = try TemporaryFolder()
    var whole = try Self.options(folder, output: "whole", threads: threads)
    whole.precision = precision
    let reference = try Self.run(whole)
    #expect(reference.isDone && reference.resumedStep == 0)
    #expect(reference.progress.map(\.step) == Array(1...6))

    var parts = try Self.options(folder, output: "parts", threads: threads)
    parts.precision = precision
    var progress: [PretrainProgress] = []
    for (limit, from) in [(1, 0), (3, 1), (.max, 4)] {
      let part = try Self.run(parts, stopAfter: limit)
      parts.precision = nil  // the checkpoint knows
      #expect(part.resumedStep == from)
      #expect(part.isDone == (limit == .max))
      progress += part.progress
    }
    let tensors = try TinyTraining.tensors(whole.output.appending(path: "checkpoint.safetensors"))
    #expect(tensors.count == 3 * (2 * 11 + 2))
    #expect(
      try tensors
        == TinyTraining.tensors(parts.output.appending(path: "checkpoint.safetensors")))
    for name in ["model.safetensors", "config.json"] {
      #expect(
        try Data(contentsOf: whole.output.appending(path: name))
          == Data(contentsOf: parts.output.appending(path: name)))
    }
    #expect(progress.map(\.loss) == reference.progress.map(\.loss))
    #expect(progress.map(\.heldoutLoss) == reference.progress.map(\.heldoutLoss))
    #expect(progress.map(\.tokens) == (1...6).map { $0 * 5 * 16 })
    #expect(progress.compactMap(\.heldoutLoss).count == 3)

    // What is done stays done.
    let again = try Self.run(parts)
    #expect(again.isDone && again.resumedStep == 6 && again.progress.isEmpty)
  }

  @Test func `another seed or another step gives other values`() throws {
    let folder = try TemporaryFolder()
    var values: Set<Data> = []
    let changes: [(seed: UInt64, limit: Int)] = [(1, 2), (1, 3), (2, 2)]
    for (index, change) in changes.enumerated() {
      var options = try Self.options(folder, output: "run\(index)")
      options.seed = change.seed
      try Self.run(options, stopAfter: change.limit)
      let tensors = try TinyTraining.tensors(
        options.output.appending(path: "checkpoint.safetensors"))
      values.insert(try #require(tensors["model.layers.0.mlp.up_proj.weight"]))
    }
    #expect(values.count == 3)
  }

  @Test func `training lowers the loss`() throws {
    let folder = try TemporaryFolder()
    var options = try Self.options(folder, output: "run")
    // Letters in a fixed order: all but guessable.
    var data = Data()
    for index in 0..<1500 { data.append(contentsOf: [UInt8(5 + index % 20), 0]) }
    options.trainingTokens = try folder.write(data, to: "order.u16")
    options.heldoutTokens = options.trainingTokens
    options.steps = 60
    options.warmup = .steps(5)
    options.learningRate = 1e-2
    options.evaluateEvery = 0
    let progress = try Self.run(options).progress
    #expect(try #require(progress.first).loss > 3)
    #expect(try #require(progress.last?.heldoutLoss) < 1)
    #expect(progress.compactMap(\.heldoutLoss).count == 1)
  }

  @Test(arguments: [2, 3, 5])
  func `a deep model begins as the shallow one repeated`(layers: Int) throws {
    let folder = try TemporaryFolder()
    let shallow = try Self.options(folder, output: "shallow")
    try Self.run(shallow, stopAfter: 1)
    var deep = try Self.options(folder, output: "deep")
    deep.architecture.layerCount = layers
    deep.initialModel = shallow.output
    deep.growth = .stack
    try PretrainRecipe(deep).save()

    let source = try TinyTraining.tensors(shallow.output.appending(path: "checkpoint.safetensors"))
    let grown = try TinyTraining.tensors(deep.output.appending(path: "checkpoint.safetensors"))
      .filter { !$0.key.hasPrefix("first.") && !$0.key.hasPrefix("second.") }
    #expect(grown.count == 11 * layers + 2)
    for (name, values) in grown {
      var parts = name.split(separator: ".").map(String.init)
      if parts[1] == "layers" { parts[2] = String(try #require(Int(parts[2])) % 2) }
      #expect(values == source[parts.joined(separator: ".")], "\(name)")
    }
  }

  @Test(arguments: [2, 3, 5])
  func `inserted layers change nothing at first`(layers: Int) throws {
    let folder = try TemporaryFolder()
    let shallow = try Self.options(folder, output: "shallow")
    try Self.run(shallow, stopAfter: 1)
    func loss(_ output: String, layers: Int) throws -> Double {
      var options = try Self.options(folder, output: output)
      options.architecture.layerCount = layers
      options.initialModel = shallow.output
      options.growth = .insert
      return try #require(try Self.run(options, stopAfter: 1).progress.first).loss
    }
    #expect(try loss("deep", layers: layers) == (try loss("same", layers: 2)))
    let order = LayerGrowth.insert.origins(shallow: 2, deep: layers)
    #expect(order.count == layers)
    #expect(order.filter { !$0.isNew }.map(\.layer) == [0, 1])
    #expect(order.map(\.layer) == order.map(\.layer).sorted())
  }

  @Test func `a run goes on from a model as from the checkpoint that it was written from`() throws {
    let folder = try TemporaryFolder()
    var shallow = try Self.options(folder, output: "shallow")
    shallow.exportType = .f32
    try Self.run(shallow)
    let model = folder.file("model")
    try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        at: shallow.output.appending(path: name), to: model.appending(path: name))
    }
    func first(_ origin: URL?, growth: LayerGrowth?, output: String) throws -> PretrainProgress {
      var options = try Self.options(folder, output: output)
      options.initialModel = origin
      options.growth = origin.flatMap { _ in growth }
      options.architecture.layerCount = growth == nil ? 2 : 3
      return try #require(try Self.run(options, stopAfter: 1).progress.first)
    }
    for growth in [nil, LayerGrowth.insert] {
      let name = growth?.rawValue ?? "same"
      let own = try first(model, growth: growth, output: "\(name) model")
      #expect(
        try own.loss == first(shallow.output, growth: growth, output: "\(name) run").loss)
      #expect(try own.loss != first(nil, growth: growth, output: "\(name) random").loss)
    }
    let other = folder.file("other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    #expect(throws: SpeculateError.self) { try first(other, growth: nil, output: "none") }
  }

  @Test func `options that don't fit a checkpoint are refused`() throws {
    let folder = try TemporaryFolder()
    let options = try Self.options(folder, output: "run")
    try Self.run(options, stopAfter: 1)
    let checkpoint = options.output.appending(path: "checkpoint.safetensors").path
    let output = options.output.path

    func complaint(_ change: (inout PretrainOptions) throws -> Void) rethrows -> String {
      var changed = options
      try change(&changed)
      do {
        _ = try PretrainRecipe(changed)
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      complaint { $0.architecture.hiddenSize = 32 }
        == "\(output) was begun with another ‘hidden’ (24): give it again, or another ‘output’")
    #expect(
      complaint { $0.seed = 7 }
        == "\(output) was begun with another ‘seed’ (1): give it again, or another ‘output’")
    #expect(
      try complaint {
        $0.trainingTokens = try folder.write(TinyTraining.tokens(1500, seed: 3), to: "other.u16")
      }
        == "\(output) was begun with another ‘tokens’: give it again, or another ‘output’")
    #expect(
      complaint {
        $0.output = folder.file("deep")
        $0.architecture.layerCount = 4
        $0.initialModel = options.output
      } == "\(checkpoint) has other sizes: give the same settings, or ‘grow’ to add layers")
    #expect(
      complaint {
        $0.output = folder.file("deep")
        $0.architecture.layerCount = 1
        $0.initialModel = options.output
        $0.growth = .stack
      } == "\(checkpoint) has 2 layers: give ‘layers’ of at least as many")
    #expect(
      complaint { $0.length = 1500 }
        == "\(options.trainingTokens.path) has 1500 tokens, too few for sequences of 1500: give "
        + "more text or a smaller ‘length’")
    let tokenizer = try folder.write(TinyTokenizer.data, to: "tiny.model")
    #expect(
      complaint {
        $0.architecture.vocabularySize = 20
        $0.tokenizer = tokenizer
      }
        == "\(tokenizer.path) has \(TinyTokenizer.vocabulary) tokens, more than the model's 20: "
        + "give ‘vocabulary’ \(TinyTokenizer.vocabulary)")
    #expect(
      complaint { $0.architecture.ropeTheta = 0 }
        == "the model configuration: rope_theta is 0.0, but must be from 1.0 to 1000000000000000.0")
    let stored = ProductPrecision.fastest
    let other = ProductPrecision.allCases.first { $0 != stored }
    #expect(
      complaint { $0.precision = other }
        == "\(checkpoint) was made with ‘precision’ \(stored.rawValue): give it again, leave it out, "
        + "or give another ‘output’")
    #expect(complaint { $0.precision = stored } == "no error")
    #expect(complaint { $0.threads = 1 } == "no error")
  }
}
