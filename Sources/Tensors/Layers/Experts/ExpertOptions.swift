/// What a mixture of experts is but for its weights: each row goes through those of many gated parts that a
/// router chooses for it, and their outputs are added, weighted.
package struct ExpertOptions: Sendable, Equatable {
  /// Experts of a layer.
  package var count: Int
  /// Experts that a row goes through.
  package var chosen: Int
  /// Width inside an expert.
  package var intermediate: Int
  /// What the outputs of the chosen experts are multiplied by.
  package var weighting: ExpertWeighting
  /// Whether the router's product has a bias.
  package var routerBias = false
  /// The expert that every row goes through beside the chosen ones; nil where there is none.
  package var shared: SharedExpertOptions?

  package init(count: Int, chosen: Int, intermediate: Int, weighting: ExpertWeighting) {
    self.count = count
    self.chosen = chosen
    self.intermediate = intermediate
    self.weighting = weighting
  }
}

/// How the chosen experts' outputs are weighted, from the router's logits.
package enum ExpertWeighting: Sendable, Equatable {
  /// Softmax over all experts.
  case ofAll
  /// Softmax over all experts, divided by the sum over the chosen ones.
  case ofAllNormalized
  /// Softmax over the chosen experts.
  case ofChosen
}

/// The expert that every row goes through.
package struct SharedExpertOptions: Sendable, Equatable {
  /// Width inside it.
  package var intermediate: Int
  /// Whether its output is multiplied by the sigmoid of a product of its own with the row.
  package var isGated: Bool

  package init(intermediate: Int, isGated: Bool) {
    self.intermediate = intermediate
    self.isGated = isGated
  }
}
