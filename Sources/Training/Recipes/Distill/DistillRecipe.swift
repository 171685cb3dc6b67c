import Drafter
import Files
import Foundation
import Synchronization
import Tensors
import Text
import Verifier

/// Distils a block drafter from a target (docs/algorithms.md 3.1, 3.2, 3.5).
///
/// First the target answers prompts; then the drafter learns to foretell those answers at random
/// anchors, from the target's hidden states or from the tokens alone. Responses and features come from the engine that
/// serves. A run that is interrupted and resumed gives bit for bit the drafter of one that was not,
/// with the same number of threads.
package final class DistillRecipe {
  let options: DistillOptions
  private let responding: ResponseRecipe
  private let maskToken: Token

  package init(_ options: DistillOptions) throws {
    self.options = options
    responding = try ResponseRecipe(
      target: options.target, workers: Workers(count: options.threads))
    // Before the target answers for an hour.
    maskToken = try Self.maskToken(options, responding)
    if case .make(let wanted) = options.responses { try responding.check(wanted) }
    if let heldout = options.heldout { try responding.check(heldout) }
    try OutputFolder.make(options.output)
  }

  /// Makes the responses that are still missing, or reads those made earlier.
  ///
  /// - Returns: All responses in order, or nil when it was stopped before.
  package func respond(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    switch options.responses {
    case .make(let wanted):
      try responding.run(wanted, folder: ownResponses, shouldStop: shouldStop, report: report)
    case .made(let folders): try folders.flatMap { try responding.responses(in: $0) }
    }
  }

  /// The responses to held-out prompts, empty without held-out data; nil when stopped before.
  package func respondHeldout(shouldStop: () -> Bool) throws -> [Response]? {
    guard var heldout = options.heldout else { return [] }
    // Others would be accepted by other rules.
    heldout.temperature = 0
    return try responding.run(
      heldout, folder: options.output.appendingPathComponent("heldout-responses"),
      shouldStop: shouldStop, report: { _ in })
  }

  /// Opens the training of a drafter on responses: resumed where a checkpoint is found. Features that
  /// lie beside the responses are read from there.
  package func training(_ responses: [Response], heldout: [Response]) throws -> DrafterTraining {
    try DrafterTraining(
      options, target: responding.target, checkpoint: responding.checkpoint,
      tokenizer: responding.tokenizer, workers: responding.workers, maskToken: maskToken,
      responses: responses, heldout: heldout, stored: try storedFeatures())
  }

  private var ownResponses: URL { options.output.appendingPathComponent("responses") }

  private func storedFeatures() throws -> [FeatureStore] {
    guard options.kind.readsFeatures || options.needsDistribution else { return [] }
    let folders =
      switch options.responses {
      case .make: [ownResponses]
      case .made(let folders): folders
      }
    let target = try responding.fingerprint()
    return try folders.compactMap { try FeatureStore(in: $0, target: target) }
  }

  private static func maskToken(
    _ options: DistillOptions, _ responding: ResponseRecipe
  ) throws -> Token {
    let token = options.maskToken ?? responding.tokenizer.id(of: "<mask>")
    guard let token else {
      throw SpeculateError(
        "the target's tokenizer has no <mask> token: give ‘mask token’, the id of one that text "
          + "never holds")
    }
    let vocabulary = responding.target.configuration.vocabularySize
    guard token >= 0, Int(token) < vocabulary else {
      throw SpeculateError(
        "‘mask token’ \(token) is outside the target's vocabulary of \(vocabulary): give one of "
          + "its tokens")
    }
    return token
  }
}
