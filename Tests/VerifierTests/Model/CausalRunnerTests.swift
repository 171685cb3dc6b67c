import Files
import Tensors
import TestSupport
import Testing
import Verifier

/// Rows are invariant: to the bit the same whatever shares their pass (docs/algorithms.md 1).
struct CausalRunnerTests {
  /// Small models with every optional part, over more than one attention chunk.
  static let configurations: [ModelConfiguration] = [
    tinyModel { _ in },
    tinyModel {
      $0.headNorms = .each
      $0.keyValueHeadCount = 1
      $0.headDimension = 10
    },
    tinyModel {
      $0.attentionBias = true
      $0.outputBias = true
      $0.mlpBias = true
      $0.keyValueHeadCount = 4
      $0.intermediateSize = 50
    },
  ]

  private func logits(
    _ runner: CausalRunner, _ tokens: [Token], piece: Int
  ) throws -> [[UInt32]] {
    let cache = try runner.makeCache(capacity: tokens.count)
    let width = runner.model.configuration.vocabularySize
    var rows: [[UInt32]] = []
    for start in stride(from: 0, to: tokens.count, by: piece) {
      let part = Array(tokens[start..<min(start + piece, tokens.count)])
      part.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
      for row in 0..<part.count {
        rows.append((0..<width).map { runner.logits[row * width + $0].bitPattern })
      }
    }
    #expect(cache.count == tokens.count)
    return rows
  }

  @Test(arguments: configurations, WeightFormat.allCases)
  func logitsAreInvariantToWidthAndThreads(
    configuration: ModelConfiguration, format: WeightFormat
  ) throws {
    let model = CausalModel(random: configuration, seed: 5, format: format)
    // Both types of cache with some format of weights each, and the other way round.
    let cache: KeyValueFormat =
      (format == .f32 || format == .int8) == (configuration.headNorms != .none) ? .bf16 : .f32
    let tokens = randomTokens(300, below: configuration.vocabularySize, seed: 1)
    func runner(threads: Int) -> CausalRunner {
      CausalRunner(
        model: model, workers: Workers(count: threads), maximumRows: 64, cacheFormat: cache)
    }
    let single = try logits(runner(threads: 1), tokens, piece: 1)
    for threads in 1...3 {
      let runner = runner(threads: threads)
      for piece in threads == 1 ? Array(1...64) : [1, 7, 16, 64] {
        #expect(try logits(runner, tokens, piece: piece) == single, "piece \(piece)")
      }
    }
  }

  @Test func batchesOfSequencesAreInvariant() throws {
    let configuration = Self.configurations[1]
    let model = CausalModel(random: configuration, seed: 5)
    let runner = CausalRunner(model: model, workers: Workers(count: 2), maximumRows: 64)
    let width = configuration.vocabularySize
    let prompts = (0..<5).map { randomTokens(3 + $0 * 9, below: width, seed: UInt64($0)) }
    let alone = try prompts.map { try logits(runner, $0 + [7], piece: 64).last }
    let caches = try prompts.map { prompt in
      let cache = try runner.makeCache(capacity: 64)
      runner.read(prompt, into: cache, logits: .last)
      return cache
    }
    runner.forward(forest: caches.map { PlantedTree(TokenTree(root: 7), in: $0) })
    for row in 0..<5 {
      #expect((0..<width).map { runner.logits[row * width + $0].bitPattern } == alone[row])
    }
  }

  @Test func rewindingForgets() throws {
    let model = CausalModel(random: Self.configurations[0], seed: 2)
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 16)
    let width = model.configuration.vocabularySize
    let tokens = randomTokens(20, below: width, seed: 3)
    let cache = try runner.makeCache(capacity: 32)
    runner.read(tokens, into: cache, logits: .last)
    let expected = (0..<width).map { runner.logits[$0] }
    runner.read([1, 2, 3], into: cache, logits: .last)
    cache.rewind(to: 11)
    runner.read(Array(tokens[11...]), into: cache, logits: .last)
    #expect((0..<width).map { runner.logits[$0] } == expected)
  }

  @Test func tapsAreLayerOutputs() throws {
    // A model cut after layer 1 has that layer's output as its last hidden state: its taps of layer
    // 1 must equal the whole model's.
    let configuration = Self.configurations[0]
    var cut = configuration
    cut.layerCount = 2
    let tokens = randomTokens(9, below: configuration.vocabularySize, seed: 9)
    var rows: [[Float]] = []
    for (sizes, taps) in [(configuration, [0, 1, 2]), (cut, [0, 1])] {
      let runner = CausalRunner(
        model: CausalModel(random: sizes, seed: 5), workers: Workers(count: 2), maximumRows: 16,
        taps: taps)
      runner.read(tokens, into: try runner.makeCache(capacity: 16), logits: .last)
      let hidden = sizes.hiddenSize
      rows.append(
        (0..<tokens.count).flatMap { row in
          (0..<2 * hidden).map { runner.taps[row * taps.count * hidden + $0] }
        })
    }
    let equal = rows[0] == rows[1]  // outside the macro, which would print every value
    #expect(equal)
    #expect(rows[0].contains { $0 != 0 })
  }

  @Test func slidingWindowsLimitWhatARowSees() throws {
    let sizes = tinyModel { $0.layerCount = 1 }
    var windowed = sizes
    windowed.slidingWindow = 8
    let tokens = randomTokens(40, below: sizes.vocabularySize, seed: 4)
    var changed = tokens
    changed[31] = (changed[31] + 1) % Token(sizes.vocabularySize)
    var last: [[UInt32]] = []
    for (configuration, input) in [
      (windowed, tokens), (windowed, changed), (sizes, tokens), (sizes, changed),
    ] {
      let runner = CausalRunner(
        model: CausalModel(random: configuration, seed: 5), workers: Workers(count: 1),
        maximumRows: 64)
      last.append(try logits(runner, input, piece: 10).last ?? [])
    }
    #expect(last[0] == last[1])  // position 31 is eight before the last: out of sight
    #expect(last[2] != last[3])
    #expect(last[0] != last[2])
  }

  @Test func aContextBeyondTheModelIsAnError() {
    let model = CausalModel(random: Self.configurations[0], seed: 2)
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 1)
    #expect(
      throws: SpeculateError(
        "a context of 5000 tokens was asked for, but the model's is 1024; shorten the prompt or "
          + "generate fewer tokens")
    ) { try runner.makeCache(capacity: 5000) }
  }
}
