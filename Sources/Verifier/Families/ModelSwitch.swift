/// A part that only some families have, and of these only some models: `config.json` says whether.
///
/// A family says which ones it reads (``ModelFamily/switches``); all others are refused. The raw value is the
/// usual key.
package enum ModelSwitch: String, CaseIterable, Sendable {
  /// Attention and feed-forward part take the same rows, as ``ModelFamily/flow`` says.
  case parallelLayers = "use_parallel_residual"
  /// Queries and keys are normed, as ``ModelFamily/headNorms`` says.
  case headNorms = "use_qk_norm"

  /// What it is for, in messages.
  var meaning: String {
    switch self {
    case .parallelLayers: "attention beside the feed-forward part"
    case .headNorms: "normed query and key heads"
    }
  }
}
