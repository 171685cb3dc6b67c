import ArgumentParser
public import Training

/// What a drafter is trained for.
struct ObjectiveFlags: ParsableArguments {
  @Option("Factor of the cross-entropy to the target's token.") var crossEntropy: Float = 1
  @Option("Factor of the KL divergence from the target's distribution.") var divergence: Float = 0
  @Option("Factor of the total variation to the target's distribution.") var variation: Float = 0
  @Option(
    """
    Factor of the entropy of drafts that are the target's token already: makes the drafter surer \
    where it is right.
    """)
  var certainty: Float = 0
  @Option(
    """
    Train a head that foretells how likely each draft is accepted, to choose by how many drafts pay; \
    the factor of its cross-entropy, which changes nothing else of the drafter. (default: no head)
    """)
  var confidence: Float?
  @Option(
    """
    What that head foretells: whether the likeliest draft is the target's token (match), or how \
    much of the target's distribution the drafter's covers (variation). (default: match)
    """)
  var confidenceLabel: ConfidenceHeadTraining.Label?
  @Option(
    """
    How much the drafts of a block count: decay, less and less, or pace, by the drafter's own \
    chance of getting so far.
    """, value: "weights")
  var rowWeights = "decay"
  @Option("Drafts until a weight has decayed to 1/e. (default: by block size)")
  var decay: Double?

  func validate() throws {
    try OptionCheck.notNegative(
      ("--cross-entropy", crossEntropy), ("--divergence", divergence), ("--variation", variation),
      ("--certainty", certainty))
    if crossEntropy == 0 && divergence == 0 && variation == 0 && confidence == nil {
      throw ValidationError(
        "--cross-entropy, --divergence and --variation are all 0: give one that counts")
    }
    if let confidence, !(confidence > 0 && confidence.isFinite) {
      throw ValidationError("--confidence is \(confidence): give a number above 0, or leave it out")
    }
    if confidenceLabel != nil && confidence == nil {
      throw ValidationError("--confidence-label belongs to --confidence: give it too")
    }
    if !["decay", "pace"].contains(rowWeights) {
      throw ValidationError("--row-weights is \(rowWeights): give decay or pace")
    }
    if decay != nil && rowWeights == "pace" {
      throw ValidationError("--decay means nothing with --row-weights pace: leave it out")
    }
    try OptionCheck.aboveZero("--decay", decay)
  }

  func apply(to options: inout DistillOptions) {
    options.objective = DraftObjective(
      crossEntropy: crossEntropy, divergence: divergence, variation: variation,
      certainty: certainty, rowWeights: rowWeights == "pace" ? .pace : .decay(decay))
    if let confidence {
      options.heads.append(
        ConfidenceHeadTraining(factor: confidence, label: confidenceLabel ?? .match))
    }
  }
}

extension ConfidenceHeadTraining.Label: ExpressibleByArgument {}
