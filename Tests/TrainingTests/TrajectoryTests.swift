import Files
import Foundation
import Speculate
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// Trajectories are those of plain Jacobi iteration, and survive storing.
@Suite struct TrajectoryTests {
  private static let configuration = ModelConfiguration(
    family: .qwen3, vocabularySize: 61, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
    headCount: 2, keyValueHeadCount: 1, headDimension: 16, maximumContext: 160)
  private static let model = CausalModel(random: configuration, seed: 1)

  private static func responses() throws -> [Response] {
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 64)
    var random = KeyedRandom(seed: 4, key: "prompts")
    return try (0..<6).map { index in
      let prompt = (0..<1 + 9 * index).map { _ in Token(random.next() % 61) }
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: 160), prompt: prompt,
        parameters: GenerationParameters(maximumTokens: 20 + 7 * index))
      return Response(tokens: prompt + Array(decoder), promptLength: prompt.count, document: index)
    }
  }

  /// The choices of the model on every row of a text, from an empty cache.
  private static func choices(_ text: [Token]) throws -> [Token] {
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 160)
    text.withUnsafeBufferPointer { buffer in
      guard let cache = try? runner.makeCache(capacity: 160) else { return }
      runner.forward(buffer, cache: cache, logits: .all)
    }
    return (0..<text.count).map { Token(Kernels.argmax(runner.logits + $0 * 61, count: 61)) }
  }

  @Test func `logits that aren't numbers are told`() throws {
    let source = DamagedSource(seed: 1, "model.norm.weight", 0..<1)
    let model = try CausalModel(
      Self.configuration, formats: WeightFormats(layers: .f32), source: source,
      embeddingName: Self.configuration.family.tensors.embedding,
      headName: Self.configuration.family.tensors.head)
    let generator = try TrajectoryGenerator(
      model: model, workers: Workers(count: 1), blockSize: 4, capacity: 160)
    let response = try #require(try Self.responses().last)
    let error = #expect(throws: SpeculateError.self) {
      _ = try generator.trajectory(of: response)
    }
    #expect(
      error?.description.hasPrefix("the target's logits for position ") == true
        && error?.description.contains("hold NaN or infinity") == true)
  }

  @Test(arguments: [2, 5, 16, 40])
  func `guesses are those of plain iteration`(blockSize: Int) throws {
    var guesses = 0
    for response in try Self.responses() {
      let generator = try TrajectoryGenerator(
        model: Self.model, workers: Workers(count: 2), blockSize: blockSize, capacity: 160)
      let trajectory = try #require(try generator.trajectory(of: response))
      #expect(
        trajectory.response == response && trajectory.blocks.count == trajectory.guesses.count)
      for (block, states) in zip(trajectory.blocks, trajectory.guesses) {
        let before = Array(response.tokens[..<block.lowerBound])
        let truth = Array(response.tokens[block])
        guard var state = states.first else { continue }
        // The decoder's first guess: the end of the text once more.
        let end = before.suffix(blockSize)
        if end.count == blockSize { #expect(state == Array(end.prefix(block.count))) }
        for (index, known) in states.enumerated() {
          #expect(known == state && state != truth, "guess \(index) of \(block)")
          let choices = try Self.choices(before + state)
          state = Array(choices[(before.count - 1)..<(before.count - 1 + block.count)])
          guesses += 1
        }
        #expect(state == truth)
      }
    }
    #expect(guesses > 100)
  }

  @Test func `another text has no trajectory`() throws {
    var response = try #require(try Self.responses().last)
    response.tokens[response.promptLength + 7] =
      (response.tokens[response.promptLength + 7] + 1) % 61
    let generator = try TrajectoryGenerator(
      model: Self.model, workers: Workers(count: 1), blockSize: 4, capacity: 160)
    #expect(try generator.trajectory(of: response) == nil)
  }

  @Test func `what was appended is there again`() throws {
    let folder = try TemporaryFolder()
    let settings = TrajectorySettings(
      responses: ResponseSettings(
        target: 1, data: 2, seed: 3, shortestPrompt: 1, longestPrompt: 60, responseLength: 60,
        temperature: 0), blockSize: 5)
    let generator = try TrajectoryGenerator(
      model: Self.model, workers: Workers(count: 1), blockSize: 5, capacity: 160)
    let all = try Self.responses().compactMap({ try generator.trajectory(of: $0) })
    let store = try TrajectoryStore(folder: folder.url, settings: settings, shardSize: 4)
    for (number, trajectory) in all.enumerated() { try store.add(trajectory, number: number) }
    try store.flush()
    #expect(try TrajectoryStore(existing: folder.url).elements(below: 6) == all)
    try store.seal()
    #expect(try TrajectoryStore(existing: folder.url).elements(below: 6) == all)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        == ["0000000.trajectories.zst", "0000004.trajectories.zst", "manifest.json"])
    for change in [0, 5, 20] {
      var numbers = all[3].numbers
      #expect(Trajectory(numbers: numbers) == all[3])
      numbers.removeLast(change + 1)
      #expect(Trajectory(numbers: numbers) == nil)
    }
    #expect(
      throws: SpeculateError(
        "\(folder.file("none").path) holds no trajectories: give a folder that 'speculate force "
          + "data' wrote")
    ) { try TrajectoryStore(existing: folder.file("none")) }
  }
}
