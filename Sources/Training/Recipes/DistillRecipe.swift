import Drafter
import Foundation
import Speculate
import Synchronization
import Tensors
import Verifier

/// Distils a conditioned block drafter from a target (ALGORITHMS 3.1, 3.5).
///
/// First the target answers prompts; then the drafter learns to foretell those answers from the
/// target's hidden states at random anchors. Responses and features come from the engine that
/// serves. A run that is interrupted and resumed gives bit for bit the drafter of one that was not,
/// with the same number of threads.
public final class DistillRecipe {
  let options: DistillOptions
  let target: CausalModel
  let workers: Workers
  private let tokenizer: any Tokenizer
  private let checkpoint: Checkpoint

  /// Opens the target.
  ///
  /// - Throws: When files are missing or options don't fit the target.
  public init(_ options: DistillOptions) throws {
    self.options = options
    target = try CausalModel(directory: options.target)
    checkpoint = try Checkpoint(directory: options.target)
    tokenizer = try TokenizerLoader.load(directory: options.target)
    workers = Workers(count: options.threads)
    try OutputFolder.make(options.output)
    let longest =
      options.promptLengths.upperBound
      + max(options.responseLength, options.evaluationLength)
    guard longest + options.blockSize <= target.configuration.maximumContext else {
      throw SpeculateError(
        "prompts and responses of \(longest) tokens don't fit the target's context of "
          + "\(target.configuration.maximumContext): give a smaller --response-length or "
          + "--longest-prompt")
    }
  }

  /// Makes the responses that are still missing.
  ///
  /// - Returns: All responses in order, or nil when it was stopped before.
  public func respond(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    try responses(
      file: "responses.bin", from: options.data, count: options.responses,
      length: options.responseLength, seed: options.seed, shouldStop: shouldStop, report: report)
  }

  /// The responses to held-out prompts, empty without held-out data; nil when stopped before.
  public func respondHeldout(shouldStop: () -> Bool) throws -> [Response]? {
    guard let heldout = options.heldout else { return [] }
    return try responses(
      file: "heldout-responses.bin", from: heldout, count: options.evaluationPrompts,
      length: options.evaluationLength, seed: options.seed &+ 0x48, shouldStop: shouldStop,
      report: { _ in })
  }

  private func responses(
    file name: String, from data: DistillOptions.Data, count: Int, length: Int, seed: UInt64,
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    let settings = ResponseSettings(
      target: try checkpoint.files.reduce(0) { try $0 &* 31 &+ FileFingerprint.of($1) },
      data: try FileFingerprint.of(data.url), seed: seed,
      shortestPrompt: options.promptLengths.lowerBound,
      longestPrompt: options.promptLengths.upperBound, responseLength: length,
      temperature: options.temperature)
    let file = try ResponseFile(
      url: options.output.appendingPathComponent(name), settings: settings)
    let done = file.responses.count
    if done < count {
      let generator = try ResponseGenerator(
        model: target, workers: workers, prompts: try prompts(data, seed: seed),
        settings: settings, batch: min(options.responseBatch, count - done))
      var chosen = 0
      let complete = try generator.run(
        done..<count, shouldStop: shouldStop,
        progress: { chosen = $0 },
        emit: { response in
          try file.append(response)
          if file.responses.count % 64 == 0 { try file.flush() }
          report(
            ResponseProgress(responses: file.responses.count, wanted: count, tokens: chosen))
        })
      try file.flush()
      guard complete else { return nil }
    }
    return Array(file.responses.prefix(count))
  }

  private func prompts(_ data: DistillOptions.Data, seed: UInt64) throws -> PromptSource {
    switch data {
    case .text(let url):
      return try PromptSource(
        jsonLines: url, tokenizer: tokenizer, lengths: options.promptLengths, seed: seed)
    case .tokens(let url):
      return try PromptSource(
        tokens: try TokenStream(
          contentsOf: url, vocabularySize: target.configuration.vocabularySize),
        endTokens: Set(target.configuration.endTokens), lineEnd: tokenizer.id(of: "\n"),
        lengths: options.promptLengths, seed: seed)
    }
  }

  /// Opens the training of a drafter on responses: resumed where a checkpoint is found.
  public func training(_ responses: [Response], heldout: [Response]) throws -> DrafterTraining {
    try DrafterTraining(
      options, target: target, checkpoint: checkpoint, workers: workers,
      maskToken: try maskToken(), responses: responses, heldout: heldout)
  }

  private func maskToken() throws -> Token {
    let token = options.maskToken ?? tokenizer.id(of: "<mask>")
    guard let token else {
      throw SpeculateError(
        "the target's tokenizer has no <mask> token: give --mask-token, the id of one that text "
          + "never holds")
    }
    guard token >= 0, Int(token) < target.configuration.vocabularySize else {
      throw SpeculateError(
        "--mask-token \(token) is outside the target's vocabulary of "
          + "\(target.configuration.vocabularySize)")
    }
    return token
  }
}
