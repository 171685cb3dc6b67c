import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// Features beside responses: what is stored, how damage and other choices are refused, and that training
/// learns the same from them.
@Suite struct StoredFeatureTests {
  private let folder: TemporaryFolder
  private let options: DistillOptions

  init() throws {
    folder = try TemporaryFolder()
    options = try DistillRecipeTests.options(folder, output: "drafter", threads: 1)
  }

  private var wanted: ResponseOptions {
    var wanted = DistillRecipeTests.responses(folder.file("train.u16"), count: 150, length: 12)
    wanted.batch = 32
    return wanted
  }

  private func recipe(threads: Int = 1) throws -> ResponseRecipe {
    try ResponseRecipe(target: options.target, workers: Workers(count: threads))
  }

  /// One session of `distill data`; returns the responses if it came to the end.
  @discardableResult
  private func make(
    _ features: FeatureChoice, of wanted: ResponseOptions? = nil, in name: String = "answers",
    threads: Int = 1, stopAfter: Int = .max
  ) throws -> [Response]? {
    let recipe = try recipe(threads: threads)
    let answers = folder.file(name)
    let made = try #require(
      try recipe.run(
        wanted ?? self.wanted, features: features, folder: answers, shouldStop: { false },
        report: { _ in }))
    var count = 0
    let isComplete = try recipe.store(
      features, of: made, folder: answers, shouldStop: { count >= stopAfter },
      report: { count = $0.sequences })
    return isComplete ? made : nil
  }

  private func store(_ name: String = "answers") throws -> FeatureStore {
    try #require(
      try FeatureStore(
        in: folder.file(name),
        target: ResponseStore(existing: folder.file(name)).settings.target))
  }

  private func files(_ name: String) throws -> [String: Data] {
    let features = FeatureStore.folder(in: folder.file(name))
    let names = try FileManager.default.contentsOfDirectory(atPath: features.path)
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: features.appending(path: $0))) })
  }

  @Test(arguments: [1, 2])
  func `they are what the target computes`(threads: Int) throws {
    let choice = FeatureChoice(layers: [0, 2], logProbabilities: 5)
    let responses = try #require(try make(choice, threads: threads))
    let store = try self.store()
    #expect(responses.count == 150 && store.count == 150)
    #expect(store.tokenCount == responses.reduce(0) { $0 + $1.tokens.count })
    let model = try CausalModel(directory: options.target)
    let hidden = model.configuration.hiddenSize
    let vocabulary = model.configuration.vocabularySize
    let runner = CausalRunner(
      model: model, workers: Workers(count: 1), maximumRows: 1, taps: [0, 2])
    let cache = try runner.makeCache(capacity: 64)
    for response in responses {
      let record = try #require(try store.record(of: response.tokens))
      #expect(record.tokens == response.tokens && record.positions == response.tokens.count)
      cache.reset()
      for (position, token) in response.tokens.enumerated() {
        runner.read([token], into: cache, logits: .all)
        for slot in 0..<2 {
          let row = UnsafeBufferPointer(start: runner.taps + slot * hidden, count: hidden)
          #expect(record.output(slot, at: position).elementsEqual(row))
        }
        let logits = (0..<vocabulary).map { Double(runner.logits[$0]) }
        let order = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
        let head = record.mostProbable(at: position)
        #expect(head.map { Int($0.token) } == Array(order.prefix(5)))
        let total = log(logits.reduce(0) { $0 + exp($1) })
        for (token, value) in head {
          #expect(abs(Double(value) - (logits[Int(token)] - total)) < 1e-5)
        }
      }
    }
    #expect(try store.record(of: responses[0].tokens + [5]) == nil)
  }

  @Test func `a session goes on where another stopped`() throws {
    let choice = FeatureChoice(layers: [1])
    try make(choice, in: "whole")
    let whole = try files("whole")
    #expect(
      whole.keys.sorted() == [
        "0000000.features.zst", "0000064.features.zst", "0000128.features.zst", "manifest.json",
      ])
    #expect(try make(choice, stopAfter: 100) == nil)
    #expect(try files("answers").keys.sorted() == ["0000000.features.zst", "manifest.json"])
    #expect(try store().count == 64)
    // What a kill leaves of the shard in the making.
    try Data("half".utf8).write(
      to: FeatureStore.folder(in: folder.file("answers"))
        .appending(path: ".0000064.features.zst.1a2b.tmp"))
    let responses = try #require(try make(choice))
    #expect(try files("answers") == whole)

    // A shard that is gone is made anew.
    let gone = FeatureStore.folder(in: folder.file("answers"))
      .appending(path: "0000064.features.zst")
    try FileManager.default.removeItem(at: gone)
    #expect(try store().count == 86 && !store().contains(responses[64].tokens))
    try make(choice)
    #expect(try files("answers") == whole)

    // More responses get theirs, and so do those of a folder that had none.
    var more = wanted
    more.count = 160
    let all = try #require(try make(choice, of: more))
    #expect(try store().count == 160 && files("answers").count == 5)
    _ = try recipe().run(
      wanted, folder: folder.file("old"), shouldStop: { false }, report: { _ in })
    try make(choice, in: "old")
    #expect(try files("old") == whole)
    // Standard tools see the records: tokens and rows.
    let reader = try ZstdReader(
      url: FeatureStore.folder(in: folder.file("old")).appending(path: "0000128.features.zst"))
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { room.deallocate() }
    let count = try reader.read(into: room)
    #expect(count == all[128..<150].reduce(0) { $0 + 4 * $1.tokens.count * (1 + 24) })
    #expect(
      (0..<all[128].tokens.count).map { room.load(fromByteOffset: 4 * $0, as: Token.self) }
        == all[128].tokens)
  }

  @Test func `a damaged shard is named`() throws {
    let choice = FeatureChoice(layers: [1], logProbabilities: 2)
    let responses = try #require(try make(choice))
    let features = FeatureStore.folder(in: folder.file("answers"))
    let shard = features.appending(path: "0000064.features.zst")
    let content = try Data(contentsOf: shard)
    /// What the same command says of it.
    func error() throws -> SpeculateError? {
      #expect(throws: SpeculateError.self) { _ = try make(choice) }
    }
    // The head, a record's head, a record, and the last byte.
    for byte in [3, 9, 40, 70, 80, 110, 116, 130, 2000, content.count / 2, content.count - 1] {
      var altered = content
      altered[byte] ^= 0x10
      try altered.write(to: shard)
      let told = try #require(try error(), "\(byte)")
      #expect(told.description.hasPrefix("\(shard.path) "), "\(told)")
      #expect(
        told.description.hasSuffix(
          ": delete it and give the command that made it again, which makes it anew"))
    }
    for damaged in [
      content.prefix(content.count - 1), content.prefix(content.count / 2), content.prefix(20),
      Data(), content + content,
      try Data(contentsOf: features.appending(path: "0000000.features.zst")),
    ] {
      try damaged.write(to: shard)
      let told = try #require(try error(), "\(damaged.count)")
      #expect(told.description.hasPrefix("\(shard.path) is "), "\(told)")
    }
    try content.write(to: shard)
    let store = try self.store()
    #expect(try responses.allSatisfy { try store.record(of: $0.tokens) != nil })
  }

  @Test func `another choice is refused`() throws {
    let choice = FeatureChoice(layers: [0, 2], logProbabilities: 3)
    // It holds from the moment that responses are made.
    var asked = 0
    let stopped = try recipe().run(
      wanted, features: choice, folder: folder.file("answers"),
      shouldStop: {
        asked += 1
        return asked > 3
      }, report: { _ in })
    #expect(stopped == nil)
    let features = FeatureStore.folder(in: folder.file("answers"))
    for other in [
      FeatureChoice(layers: [0, 1], logProbabilities: 3), FeatureChoice(layers: [0, 2]),
      FeatureChoice(logProbabilities: 3), nil,
    ] {
      #expect(
        throws: SpeculateError(
          "\(features.path) was made with ‘store taps’ 0,2 ‘store log-probabilities’ 3: give just "
            + "that, another ‘output’, or delete it")
      ) {
        try recipe().run(
          wanted, features: other, folder: folder.file("answers"), shouldStop: { false },
          report: { _ in })
      }
    }
    for (wrong, message) in [
      (
        FeatureChoice(layers: [3]), "‘store taps’ names layer 3, but the target has layers 0 to 2"
      ),
      (
        FeatureChoice(logProbabilities: 4096),
        "‘store log-probabilities’ is 4096, but the target has \(TinyTokenizer.vocabulary) tokens: "
          + "give fewer"
      ),
    ] {
      #expect(throws: SpeculateError(message)) { try make(wrong, in: "new") }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("new").path))

    try make(choice)
    // Responses made otherwise under the same numbers.
    var other = wanted
    other.seed = 9
    _ = try recipe().run(
      other, folder: folder.file("other"), shouldStop: { false }, report: { _ in })
    try FileManager.default.copyItem(
      at: features, to: FeatureStore.folder(in: folder.file("other")))
    #expect(
      throws: SpeculateError(
        "\(FeatureStore.folder(in: folder.file("other")).path) holds features of other responses than "
          + "those beside it: delete it")
    ) { try make(choice, of: other, in: "other") }

    let manifest = features.appending(path: "manifest.json")
    let text = try String(contentsOf: manifest, encoding: .utf8)
    for (part, instead, message) in [
      (
        "\"version\" : 1", "\"version\" : 2",
        "\(manifest.path) has version 2, this program reads version 1: use the program that wrote it"
      ),
      (
        "\"hidden\" : 24", "\"width\" : 24",
        "\(manifest.path) is no manifest of features: delete the folder and make it again"
      ),
      (
        "\"hidden\" : 24", "\"hidden\" : -24",
        "the settings in \(manifest.path) can't be: delete the folder and make it again"
      ),
      (
        "\"target\" : ", "\"target\" : 1",
        "\(features.path) holds another target's features: delete it"
      ),
    ] {
      #expect(text.contains(part))
      try Data(text.replacing(part, with: instead).utf8).write(to: manifest)
      #expect(throws: SpeculateError(message)) { try store() }
    }
  }

  @Test(arguments: [
    DraftObjective(), DraftObjective(crossEntropy: 0.5, divergence: 0.5, variation: 0.5),
  ])
  func `training from them ends in the same drafter`(objective: DraftObjective) throws {
    var options = options
    options.objective = objective
    // Features are fetched at every visit.
    options.memory = 0
    options.precision = .f32
    let computed = try DistillRecipeTests.run(options).progress

    // More layers than are wanted do no harm; the last one gives the distributions.
    let wanted = DistillRecipeTests.responses(folder.file("train.u16"), count: 14, length: 24)
    try make(FeatureChoice(layers: [0, 1, 2], logProbabilities: 1), of: wanted)
    options.responses = .made([folder.file("answers")])
    options.output = folder.file("stored")
    let recipe = try DistillRecipe(options)
    let made = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    let heldout = try #require(try recipe.respondHeldout(shouldStop: { false }))
    let training = try recipe.training(made, heldout: heldout)
    #expect(training.storedCount == 14 && training.unusedFeatures.isEmpty)
    var stored: [DistillProgress] = []
    #expect(try training.run(shouldStop: { false }, report: { stored.append($0) }))
    #expect(stored.map(\.loss) == computed.map(\.loss))
    #expect(
      try TinyTraining.tensors(options.output.appending(path: "checkpoint.safetensors"))
        == TinyTraining.tensors(self.options.output.appending(path: "checkpoint.safetensors")))

    // They really are read: of damaged ones nothing is learnt.
    let shard = FeatureStore.folder(in: folder.file("answers"))
      .appending(path: "0000000.features.zst")
    var altered = try Data(contentsOf: shard)
    for byte in stride(from: 200, to: altered.count, by: 200) { altered[byte] ^= 1 }
    options.output = folder.file("damaged")
    let before = try Data(contentsOf: shard)
    try altered.write(to: shard)
    let told = #expect(throws: SpeculateError.self) { try DistillRecipeTests.run(options) }
    #expect(told?.description.hasPrefix("\(shard.path) is damaged") == true)
    var record = before
    record[record.count - 1] ^= 1
    try record.write(to: shard)
    let late = #expect(throws: SpeculateError.self) { try DistillRecipeTests.run(options) }
    #expect(late?.description.hasPrefix("\(shard.path) is damaged: delete it") == true)
    try before.write(to: shard)

    // A layer that isn't there is computed, and that is said.
    options.output = folder.file("other")
    try make(FeatureChoice(layers: [0]), of: wanted, in: "few")
    options.responses = .made([folder.file("few")])
    let other = try DistillRecipe(options)
    let partly = try other.training(made, heldout: heldout)
    #expect(partly.storedCount == 0)
    #expect(
      partly.unusedFeatures == [
        "\(FeatureStore.folder(in: folder.file("few")).path) holds layers [0], not all of "
          + "[0, 2]: the target computes them"
      ])
    options.output = folder.file("last")
    #expect(try DistillRecipeTests.run(options).progress.map(\.loss) == computed.map(\.loss))
  }

  /// With products of bf16 values, outputs kept and stored in bf16 are as good as those that are computed.
  @Test func `halves are enough for products of halves`() throws {
    var options = options
    options.precision = .bf16
    options.memory = 0
    func tensors(_ name: String) throws -> [String: Data] {
      options.output = folder.file(name)
      _ = try DistillRecipeTests.run(options)
      return try TinyTraining.tensors(options.output.appending(path: "checkpoint.safetensors"))
    }
    let computed = try tensors("computed")
    options.memory = 1 << 24
    #expect(try tensors("kept") == computed)

    let wanted = DistillRecipeTests.responses(folder.file("train.u16"), count: 14, length: 24)
    try make(FeatureChoice(layers: [0, 2], logProbabilities: 3, precision: .bf16), of: wanted)
    try make(FeatureChoice(layers: [0, 2], logProbabilities: 3), of: wanted, in: "whole")
    let (halves, whole) = (try store(), try store("whole"))
    #expect(halves.settings.precision == .bf16 && whole.settings.precision == .f32)
    for response in try ResponseStore(existing: folder.file("whole")).elements(below: 14) {
      let half = try #require(try halves.record(of: response.tokens))
      let full = try #require(try whole.record(of: response.tokens))
      #expect(half.tokens == full.tokens)
      #expect(full.bytes.count - half.bytes.count == half.positions * 2 * 24 * 2)
      for position in 0..<half.positions {
        let (a, b) = (half.mostProbable(at: position), full.mostProbable(at: position))
        #expect(
          a.map(\.token) == b.map(\.token) && a.map(\.logProbability) == b.map(\.logProbability))
      }
    }
    // The folder's own precision holds where none is named.
    try make(FeatureChoice(layers: [0, 2], logProbabilities: 3), of: wanted)
    #expect(throws: SpeculateError.self) {
      try make(FeatureChoice(layers: [0, 2], logProbabilities: 3, precision: .f32), of: wanted)
    }
    options.memory = 0
    options.responses = .made([folder.file("answers")])
    #expect(try tensors("stored") == computed)

    options.precision = .f32
    options.output = folder.file("f32")
    let recipe = try DistillRecipe(options)
    let made = try #require(try recipe.respond(shouldStop: { false }, report: { _ in }))
    let training = try recipe.training(made, heldout: [])
    #expect(training.storedCount == 0)
    #expect(
      training.unusedFeatures == [
        "\(FeatureStore.folder(in: folder.file("answers")).path) holds layers rounded to bf16, too little for products of f32 values: "
          + "the target computes them"
      ])
  }
}

/// Reads records as docs/formats.md describes them.
extension FeatureRecord {
  /// What `layers[slot]` gave at a position: [hidden].
  fileprivate func output(_ slot: Int, at position: Int) -> [Float] {
    let start = positions + (position * settings.layers.count + slot) * settings.hidden
    return (start..<start + settings.hidden).map { value($0) }
  }

  /// The most probable tokens after a position, with their log-probabilities.
  fileprivate func mostProbable(at position: Int) -> [(token: Token, logProbability: Float)] {
    let outputs = positions * settings.layers.count * settings.hidden
    let k = settings.logProbabilities
    let start = positions + (settings.precision == .bf16 ? (outputs + 1) / 2 : outputs)
    return (position * k..<position * k + k).map {
      (value(start + $0), value(start + positions * k + $0))
    }
  }

  private func value<T>(_ index: Int) -> T {
    bytes.withUnsafeBytes { $0.load(fromByteOffset: 4 * index, as: T.self) }
  }
}
