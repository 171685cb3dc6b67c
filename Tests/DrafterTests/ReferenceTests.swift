import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// The drafter against an independent computation of its definition (Tests/Fixtures/drafter).
@Suite struct ReferenceTests {
  /// The largest share of a row's largest magnitude by which a logit may be off.
  static let tolerance: Float = 1e-4
  static let drafters = ReferenceDrafter.names.map(ReferenceDrafter.init)

  @Test func everyFolderIsTested() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: ReferenceDrafter.root.path)
    #expect(folders.sorted() == ReferenceDrafter.names)
  }

  /// The passes one after another on one runner: the context grows, is rewound and grows again.
  @Test(arguments: drafters, [1, 2])
  func passesAgree(_ reference: ReferenceDrafter, threads: Int) throws {
    let drafter = try BlockDrafter(directory: reference.directory, format: .f32)
    let inputs = try reference.inputs()
    let width = drafter.configuration.targetLayers.count * drafter.configuration.shape.hidden
    let features = try inputs.floats("features", shape: [14, width])
    let runner = try runner(drafter, inputs, threads: threads)
    let passes = try reference.passes()
    try #require(passes.map(\.context) == [10, 14, 0])
    for pass in passes + [passes[0]] {
      if pass.context < runner.contextCount { runner.rewind(to: min(pass.context, 4)) }
      while runner.contextCount < pass.context {
        let rows = min(3, pass.context - runner.contextCount)
        runner.appendContext(features.base + runner.contextCount * width, rows: rows)
      }
      check(runner, pass, count: pass.count)
      check(runner, pass, count: 2)
    }
  }

  @Test(arguments: drafters)
  func configurationIsWrittenAsRead(_ reference: ReferenceDrafter) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "speculate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = try DrafterConfiguration(directory: reference.directory)
    try configuration.encoded().write(to: folder.appending(path: "config.json"))
    #expect(try DrafterConfiguration(directory: folder) == configuration)
  }

  /// A head must be announced, and what is announced must be there.
  @Test func aConfidenceHeadIsChecked() throws {
    let reference = ReferenceDrafter(name: "confidence")
    for (file, old, new, complaint) in [
      (
        "config.json", "\"enable_confidence_head\": true", "\"enable_confidence_head\": false",
        "confidence_head."
      ),
      (
        "config.json", "\"enable_confidence_head\": true", "\"enable_confidence_head\": 1",
        "is not true or false"
      ),
      (
        "model.safetensors", "confidence_head.proj.bias", "confidence_head.proj.bios",
        "there is no tensor \"confidence_head.proj.bias\""
      ),
      ("config.json", "\"hidden_size\": 24", "\"hidden_size\": 23", "23"),
    ] {
      let folder = FileManager.default.temporaryDirectory
        .appending(path: "speculate-\(UUID().uuidString)")
      try FileManager.default.copyItem(at: reference.directory, to: folder)
      defer { try? FileManager.default.removeItem(at: folder) }
      let url = folder.appending(path: file)
      var data = try Data(contentsOf: url)
      let place = try #require(data.firstRange(of: Data(old.utf8)), "\(old)")
      data.replaceSubrange(place, with: Data(new.utf8))
      try data.write(to: url)
      let error = #expect(throws: SpeculateError.self) { try BlockDrafter(directory: folder) }
      let text = try #require(error.map { "\($0)" })
      #expect(text.contains(complaint) && !text.contains("\n"), "\(text)")
    }
  }

  /// The first `count` drafts of a pass: a shorter draft is the beginning of a longer one.
  private func check(_ runner: SingleDrafter, _ pass: ReferenceDrafter.Pass, count: Int) {
    runner.draft(anchor: pass.anchor, count: count) { index, logits in
      let expected = pass.logits[index]
      let largest = expected.compactMap { $0 }.map(abs).max() ?? 0
      var choice = 0
      for (id, value) in expected.enumerated() {
        guard let value else {
          #expect(logits[id] < -1e29 && logits[id].isFinite, "row \(index), logit \(id)")
          continue
        }
        let distance = abs(logits[id] - value) / largest
        #expect(
          distance < Self.tolerance,
          "context \(pass.context), row \(index), logit \(id): \(logits[id]), not \(value)")
        if logits[id] > logits[choice] { choice = id }
      }
      #expect(choice == pass.choices[index], "context \(pass.context), row \(index)")
      let best = logits[choice]
      let total = expected.compactMap { $0 }.reduce(0) { $0 + exp($1 - best) }
      let confidence = runner.confidence(index, probability: 1 / total)
      #expect(
        abs(confidence - (pass.confidences?[index] ?? 1 / total)) < Self.tolerance,
        "context \(pass.context), row \(index): \(confidence)")
      return choice
    }
    #expect(runner.drafts == Array(pass.drafts.prefix(count)), "context \(pass.context)")
  }

  private func runner(
    _ drafter: BlockDrafter, _ inputs: Checkpoint, threads: Int
  ) throws -> SingleDrafter {
    let (vocabulary, hidden) = (
      drafter.configuration.vocabularySize, drafter.configuration.shape.hidden
    )
    let table = try inputs.floats("embedding", shape: [vocabulary, hidden])
    let head =
      inputs.shape(of: "head") == nil
      ? table : try inputs.floats("head", shape: [vocabulary, hidden])
    return SingleDrafter(
      drafter: drafter,
      embedding: TokenEmbedding(
        table, vocabularySize: vocabulary, width: hidden, format: .f32),
      head: PackedMatrix(head, rows: vocabulary, columns: hidden, format: .f32),
      workers: Workers(count: threads), capacity: 20)
  }
}
