import Files
import Tensors

extension ModelConfiguration {
  /// Reads what metadata and tensors say about experts.
  ///
  /// - Throws: `SpeculateError` naming the file and the key that is missing or not supported.
  static func experts(
    _ settings: inout GGUFSettings, _ architecture: GGUFArchitecture, _ file: GGUFFile,
    layerCount: Int
  ) throws -> ExpertSettings? {
    guard let keys = architecture.family.experts else { return nil }
    let normalizes = try settings.flag("expert_weights_norm")
    var weighting: ExpertWeighting
    switch keys.weighting {
    case .always(let always):
      weighting = always
      guard normalizes ?? true else {
        throw settings.problem(
          "expert_weights_norm is false, but \(architecture.name) models normalize the weights of "
            + "experts")
      }
    case .configured:
      weighting = normalizes ?? architecture.normalizesExperts ? .ofAllNormalized : .ofAll
    }
    let scale = try settings.number("expert_weights_scale") ?? 1
    guard scale == 1 || scale == 0 else {
      throw settings.problem("expert_weights_scale is \(scale), which is not supported; only 1 is")
    }
    // 0 is the architecture's own, 1 softmax over all, 3 softmax over the chosen.
    let gating = try settings.integer("expert_gating_func") ?? 0
    guard gating == 0 || gating == (weighting == .ofChosen ? 3 : 1) else {
      throw settings.problem("expert_gating_func \(gating) is not supported")
    }
    let width = try settings.integer("expert_feed_forward_length")
    var options = ExpertOptions(
      count: try settings.requiredInteger("expert_count"),
      chosen: try settings.requiredInteger("expert_used_count"),
      intermediate: try width ?? settings.requiredInteger("feed_forward_length"),
      weighting: weighting)
    options.routerBias = keys.routerBias
    if keys.haveSharedOne {
      options.shared = SharedExpertOptions(
        intermediate: try settings.requiredInteger("expert_shared_feed_forward_length"),
        isGated: true)
    }
    // The count is checked later.
    let plain = (0..<max(0, min(layerCount, 1 << 12))).map {
      file.tensor(architecture.name(of: .router, layer: $0)) == nil
    }
    if !keys.areSparse, let layer = plain.firstIndex(of: true) {
      throw settings.problem(
        "there is no tensor \(quoted(architecture.name(of: .router, layer: layer))); the model is "
          + "incomplete or of another architecture")
    }
    return ExpertSettings(
      options, clamp: keys.clamp, plainLayers: plain.contains(true) ? plain : [])
  }
}
