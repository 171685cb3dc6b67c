import Analysis
import Files
import Foundation
import Speculate
import Tensors
import Text
import Verifier

/// Measures models on held-out documents by the engine that serves.
package final class ForceEvaluator {
  package struct Sizes: Sendable, Equatable, Codable {
    /// Tokens of held-out text, about.
    package var tokens = 8192
    /// Tokens of a piece, which is read by itself; fewer where the context is shorter.
    package var window = 512
    /// Prompts to go on from.
    package var prompts = 12
    package var promptLengths = 64...128
    package var length = 96

    package init() {}
  }

  private let windows: [[Token]]
  private let bytes: Int  // of the predicted tokens
  private let prompts: [[Token]]
  private let endTokens: [Token]
  private let sizes: Sizes
  private let workers: Workers

  init(
    documents url: URL, encoder: ChatEncoder, sizes: Sizes, seed: UInt64,
    target: ModelConfiguration, workers: Workers
  ) throws {
    let longest = sizes.promptLengths.upperBound + sizes.length
    guard longest <= target.maximumContext else {
      throw SpeculateError(
        "held-out prompts and outputs of \(longest) tokens don't fit the target's context of "
          + "\(target.maximumContext): give a smaller ‘evaluation length’ or "
          + "‘longest prompt’")
    }
    let window = min(sizes.window, target.maximumContext)
    let reader = try TextDocuments(url)
    let tokenizer = encoder.tokenizer
    var texts: [TextDocuments.Document] = []
    while let document = try reader.next() { texts.append(document) }
    let wanted = min(texts.count, (sizes.tokens + window - 1) / window)
    // Evenly spaced documents, each from its beginning.
    windows = try (0..<wanted).compactMap { index -> [Token]? in
      let ids =
        switch texts[index * texts.count / wanted] {
        case .text(let text), .prompt(let text): try tokenizer.encode(text, addSpecial: false)
        case .chat(let conversation):
          try encoder.encode(conversation, now: ChatEncoder.fixedTime).ids
        }
      return ids.count > 1 ? Array(ids.prefix(window)) : nil
    }
    guard !windows.isEmpty else {
      throw SpeculateError("\(url.path) holds no text to measure on; give a file with documents")
    }
    bytes = windows.reduce(0) { sum, window in
      window.dropFirst().reduce(sum) { $0 + tokenizer.bytes(of: $1).count }
    }
    // The training's prompts may be from the same file.
    let source = try PromptSource(
      documents: url, encoder: encoder, lengths: sizes.promptLengths, seed: seed &+ 0x48)
    prompts = try (0..<sizes.prompts).map(source.prompt)
    endTokens = tokenizer.endTokens(
      of: target.endTokens, inChat: source.chatFingerprint != nil)
    self.sizes = sizes
    self.workers = workers
  }

  /// Measures a model.
  ///
  /// - Returns: `nil` when it was stopped.
  func run(
    _ model: CausalModel, blockSize: Int, shouldStop: () -> Bool = { false }
  ) throws -> ForceEvaluation? {
    guard
      let loss = try Perplexity.measure(
        model, windows: windows, workers: workers, isCancelled: shouldStop)
    else { return nil }
    let bits = loss.loss / log(2)
    var result = ForceEvaluation(
      bitsPerToken: bits / Double(loss.tokens), bitsPerByte: bits / Double(max(bytes, 1)),
      plain: ForceEvaluation.Passes(), full: ForceEvaluation.Passes())
    let plain = JacobiOptions(
      block: blockSize, blocks: 1, pool: 0, suffix: false, rows: blockSize + 1)
    let full = JacobiOptions(block: blockSize, blocks: 2, rows: 2 * blockSize + 1)
    let runner = CausalRunner(
      model: model, workers: workers, maximumRows: max(64, 2 * blockSize + 1))
    let cache = try runner.makeCache(capacity: sizes.promptLengths.upperBound + sizes.length)
    for prompt in prompts {
      if shouldStop() { return nil }
      let parameters = GenerationParameters(maximumTokens: sizes.length, endTokens: endTokens)
      try result.plain.add(prompt, plain, runner, cache, parameters)
      try result.full.add(prompt, full, runner, cache, parameters)
    }
    return result
  }
}

extension ForceEvaluation.Passes {
  /// Rows are fixed, so that what passes cost decides nothing.
  private static let policy = JacobiPolicy(PassTimes([(1, 1), (64, 2)]), maximumRows: 64)

  fileprivate mutating func add(
    _ prompt: [Token], _ options: JacobiOptions, _ runner: CausalRunner, _ cache: KeyValueCache,
    _ parameters: GenerationParameters
  ) throws {
    cache.reset()
    let decoder = try Decoder(
      runner: runner, cache: cache, prompt: prompt,
      parameters: parameters,
      strategy: JacobiStrategy(options: options, policy: Self.policy), isCancelled: { false })
    let ids = Array(decoder)
    if let failure = decoder.failure { throw failure }
    add(
      tokens: ids.count, passes: decoder.statistics.targetPasses,
      endsInLoop: LoopDetector().endsInLoop(ids))
  }
}

/// How well a model predicts held-out text, and how fast it decodes itself by Jacobi iteration.
package struct ForceEvaluation: Sendable, Equatable, Codable {
  package var bitsPerToken: Double
  package var bitsPerByte: Double
  /// One block, and nothing beside the guess.
  package var plain: Passes
  /// Two blocks, recycling, and matches of earlier text.
  package var full: Passes

  /// Tokens and passes of some generations.
  package struct Passes: Sendable, Equatable, Codable {
    package var outputs = 0
    package var tokens = 0
    package var passes = 0
    /// Of those that don't end in a loop: how many, and as above.
    package var loopless = 0
    package var looplessTokens = 0
    package var looplessPasses = 0

    package var tokensPerPass: Double { passes > 0 ? Double(tokens) / Double(passes) : 0 }
    package var looplessTokensPerPass: Double {
      looplessPasses > 0 ? Double(looplessTokens) / Double(looplessPasses) : 0
    }

    mutating func add(tokens count: Int, passes number: Int, endsInLoop: Bool) {
      outputs += 1
      tokens += count
      passes += number
      guard !endsInLoop else { return }
      loopless += 1
      looplessTokens += count
      looplessPasses += number
    }
  }
}
