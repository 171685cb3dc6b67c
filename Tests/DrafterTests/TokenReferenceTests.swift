import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Drafters that see tokens alone, against an independent computation without a cache
/// (Tests/Fixtures/token-drafter).
@Suite struct TokenReferenceTests {
  private static let root = ReferenceDrafter.root.deletingLastPathComponent()
    .appending(path: "token-drafter")
  static let names = ["borrowed", "borrowed-markov", "own", "own-draft-vocabulary"]

  private struct Expected: Decodable {
    struct Pass: Decodable {
      let context: Int
      let count: Int
      let anchor: Token
      let logits: [[Float]]  // [count][choices]
      let choices: [Int]
      let drafts: [Token]
    }
    let tokens: [Token]
    let passes: [Pass]
  }

  @Test func everyFolderIsTested() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root.path)
    #expect(folders.sorted() == Self.names)
  }

  /// The passes one after another on one runner: the context grows by pieces, is rewound and grows again.
  @Test(arguments: names, [1, 2])
  func passesAgree(_ name: String, threads: Int) throws {
    let folder = Self.root.appending(path: name)
    let drafter = try BlockDrafter(directory: folder, format: .f32)
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
    let runner = try runner(drafter, folder, threads: threads)
    let passes = expected.passes
    try #require(passes.map(\.context) == [10, 14, 0])
    for pass in passes + [passes[0]] {
      if pass.context < runner.contextCount { runner.rewind(to: min(pass.context, 4)) }
      while runner.contextCount < pass.context {
        let end = min(runner.contextCount + 3, pass.context)
        runner.appendContext(expected.tokens[runner.contextCount..<end])
      }
      check(runner, pass, count: pass.count)
      check(runner, pass, count: 2)
    }
  }

  @Test(arguments: names)
  func configurationIsWrittenAsRead(_ name: String) throws {
    let read = try DrafterConfiguration(directory: Self.root.appending(path: name))
    #expect(read.kind == .tokens && read.targetLayers.isEmpty)
    #expect(read.ownsEmbedding == name.hasPrefix("own"))
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "speculate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try read.encoded().write(to: folder.appending(path: "config.json"))
    #expect(try DrafterConfiguration(directory: folder) == read)
  }

  /// Weights that the configuration has no place for, and the other way round.
  @Test func embeddingsAreWhereTheConfigurationSaysSo() throws {
    for (name, complaint) in [
      ("own", "tensor 'embed_tokens.weight' has no place in the model that config.json describes"),
      ("borrowed", "embed_tokens.weight"),
    ] {
      let folder = FileManager.default.temporaryDirectory
        .appending(path: "speculate-\(UUID().uuidString)")
      try FileManager.default.copyItem(at: Self.root.appending(path: name), to: folder)
      defer { try? FileManager.default.removeItem(at: folder) }
      var configuration = try DrafterConfiguration(directory: folder)
      configuration.ownsEmbedding.toggle()
      let file = folder.appending(path: "config.json")
      try FileManager.default.removeItem(at: file)
      try configuration.encoded().write(to: file)
      try FileManager.default.removeItem(at: folder.appending(path: "expected.json"))
      try? FileManager.default.removeItem(at: folder.appending(path: "inputs.safetensors"))
      let error = #expect(throws: SpeculateError.self) { try BlockDrafter(directory: folder) }
      let text = try "\(#require(error))"
      #expect(text.contains(complaint) && !text.contains("\n"), "\(text)")
    }
  }

  private func check(_ runner: SingleDrafter, _ pass: Expected.Pass, count: Int) {
    runner.draft(anchor: pass.anchor, count: count) { index, logits in
      let expected = pass.logits[index]
      let largest = expected.map(abs).max() ?? 0
      var choice = 0
      for (id, value) in expected.enumerated() {
        #expect(
          abs(logits[id] - value) / largest < ReferenceTests.tolerance,
          "context \(pass.context), row \(index), logit \(id): \(logits[id]), not \(value)")
        if logits[id] > logits[choice] { choice = id }
      }
      #expect(choice == pass.choices[index], "context \(pass.context), row \(index)")
      return choice
    }
    #expect(runner.drafts == Array(pass.drafts.prefix(count)), "context \(pass.context)")
    #expect(runner.contextCount == pass.context)
  }

  /// A target whose embedding has another width where the drafter borrows nothing of it.
  private func runner(
    _ drafter: BlockDrafter, _ folder: URL, threads: Int
  ) throws -> SingleDrafter {
    let vocabulary = drafter.configuration.vocabularySize
    var width = drafter.configuration.shape.hidden
    var (table, head) = (FloatBuffer(count: vocabulary * 8), FloatBuffer(count: vocabulary * 8))
    if drafter.configuration.ownsEmbedding {
      width = 8
    } else {
      let inputs = try Checkpoint(file: folder.appending(path: "inputs.safetensors"))
      table = try inputs.floats("embedding", shape: [vocabulary, width])
      head =
        inputs.shape(of: "head") == nil
        ? table : try inputs.floats("head", shape: [vocabulary, width])
    }
    return SingleDrafter(
      drafter: drafter,
      embedding: TokenEmbedding(table, vocabularySize: vocabulary, width: width, format: .f32),
      head: PackedMatrix(head, rows: vocabulary, columns: width, format: .f32),
      workers: Workers(count: threads), capacity: 20)
  }
}
