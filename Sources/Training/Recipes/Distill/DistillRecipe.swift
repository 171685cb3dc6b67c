import Drafter
import Files
import Foundation
import Synchronization
import Tensors
import Text
package import Verifier

/// Distils a block drafter from a target (docs/algorithms.md 3.1, 3.2, 3.5).
///
/// First the target answers prompts; then the drafter learns to foretell those answers at random
/// anchors, from the target's hidden states or from the tokens alone. Responses and features come from the engine that
/// serves. A run that is interrupted and resumed gives bit for bit the drafter of one that was not.
package final class DistillRecipe {
  let options: DistillOptions
  private let responding: ResponseRecipe
  private let maskToken: Token
  /// The model that answers.
  package var target: CausalModel { responding.target }
  /// What to say before the run begins.
  package let remarks: [String]
  private let claim: OutputClaim?  // of the rank that writes
  private var own: ResponseRecipe.Plan?  // until the responses are there
  private var heldout: ResponseRecipe.Plan?
  private let heldoutEnds: [Token]

  /// Opens the target, and checks all that the run will need before it answers for hours.
  package init(_ options: DistillOptions) throws {
    self.options = options
    responding = try ResponseRecipe(
      target: options.target, workers: Workers(count: options.threads), chat: options.chat)
    let mask = try Self.mask(options, responding)
    maskToken = mask.token
    remarks = mask.remark.map { [$0] } ?? []
    try DrafterTraining.check(options, responding.target.configuration, maskToken: maskToken)
    if case .make(let wanted) = options.responses {
      own = try responding.plan(wanted, folder: Self.ownResponses(options))
    }
    // Others would be accepted by other rules.
    var held = options.heldout
    held?.temperature = 0
    heldout = try held.map { [responding] in
      try responding.plan($0, folder: Self.heldoutResponses(options))
    }
    heldoutEnds = heldout?.endTokens ?? []
    claim = try options.ranks.claim(
      options.output,
      for: OutputClaim.Job(
        "distill", settings: options.settings(target: responding.fingerprint(), plan: own)),
      apartFrom: responding.inputs(own?.options) + (held?.inputs(isHeldOut: true) ?? [])
        + options.inputs)
  }

  /// Makes the responses that are still missing, or reads those made earlier.
  ///
  /// - Returns: All responses in order, or nil when it was stopped before.
  package func respond(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    switch options.responses {
    case .make(let wanted):
      let folder = Self.ownResponses(options)
      let plan = try own ?? responding.plan(wanted, folder: folder)
      own = nil
      return try responding.respond(
        plan, folder: folder, ranks: options.ranks, shouldStop: shouldStop, report: report)
    case .made(let folders):
      let made = try options.ranks.share { try folders.flatMap(responding.responses) }
      // Before held-out prompts are answered.
      try DrafterTraining.check(responses: made.count, options)
      try DrafterTraining.check(
        length: made.map(\.tokens.count).max() ?? 1, options, responding.target.configuration)
      return made
    }
  }

  /// The responses to held-out prompts, empty without held-out data; nil when stopped before.
  package func respondHeldout(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void = { _ in }
  ) throws -> [Response]? {
    guard let plan = heldout else { return [] }
    return try responding.respond(
      plan, folder: Self.heldoutResponses(options), ranks: options.ranks, shouldStop: shouldStop,
      report: report)
  }

  /// Opens the training of a drafter on responses: resumed where a checkpoint is found. Features that
  /// lie beside the responses are read from there.
  package func training(_ responses: [Response], heldout: [Response]) throws -> DrafterTraining {
    try DrafterTraining(
      options, claim: claim, target: responding.target, weights: responding.weights,
      tokenizer: responding.tokenizer, workers: responding.workers, maskToken: maskToken,
      responses: responses, heldout: heldout, heldoutEnds: heldoutEnds,
      stored: try storedFeatures())
  }

  private static func ownResponses(_ options: DistillOptions) -> URL {
    options.output.appendingPathComponent("responses")
  }

  private static func heldoutResponses(_ options: DistillOptions) -> URL {
    options.output.appendingPathComponent("heldout-responses")
  }

  private func storedFeatures() throws -> [FeatureStore] {
    guard options.kind.readsFeatures || options.needsDistribution else { return [] }
    let folders =
      switch options.responses {
      case .make: [Self.ownResponses(options)]
      case .made(let folders): folders
      }
    let target = try responding.fingerprint()
    return try folders.compactMap { try FeatureStore(in: $0, target: target) }
  }

  private static func mask(
    _ options: DistillOptions, _ responding: ResponseRecipe
  ) throws -> (token: Token, remark: String?) {
    let vocabulary = responding.target.configuration.vocabularySize
    guard let token = options.maskToken else {
      guard
        let choice = MaskChoice(
          responding.tokenizer, vocabulary: vocabulary, standing: responding.standingTokens)
      else {
        throw SpeculateError(
          "the tokenizer of the target has no mask, reserves no token and uses all ids: give "
            + "‘mask token’, one that text never holds")
      }
      return (choice.token, choice.remark)
    }
    guard token >= 0, Int(token) < vocabulary else {
      throw SpeculateError(
        "‘mask token’ \(token) is outside the target's vocabulary of \(vocabulary): give one of "
          + "its tokens")
    }
    return (token, nil)
  }
}
