import Files

/// The sliding window of `config.json` and the layers it applies to.
///
/// In every layer: `sliding_window`, the family's own if absent, none if null. In chosen layers: only with
/// `use_sliding_window`, for the layers that `layer_types` names, or those from `max_window_layers` on. In
/// a pattern: for the layers that `layer_types` names, or all but every n-th.
struct WindowSettings {
  let size: Int?
  /// One entry per layer; empty for all layers, and where there is no window.
  let layers: [Bool]

  init(_ file: ConfigurationFile, family: ModelFamily, layerCount: Int) throws {
    let windows = family.windows
    let isUsed =
      switch windows {
      case .none: false
      case _ where windows.haveSwitch: try file.bool("use_sliding_window") ?? false
      default: true
      }
    var size: Int?
    if isUsed {
      size =
        file.has("sliding_window") ? try file.integer("sliding_window") : family.defaults.window
    }
    // The count is checked later.
    let indices = 0..<max(0, min(layerCount, 1 << 12))
    var layers: [Bool] = []
    if let types = try file.texts("layer_types") {
      guard types.count == layerCount else {
        throw file.problem(
          "layer_types names \(types.count) layers, but num_hidden_layers is \(layerCount); "
            + "correct one of them")
      }
      layers = try types.map { type in
        switch type {
        case "sliding_attention": return true
        case "full_attention", "attention": return false
        default:
          throw file.problem("layer_types: layers of type \(quoted(type)) are not supported")
        }
      }
      if size == nil && layers.contains(true) {
        throw file.problem(
          "layer_types has sliding_attention, but no sliding window is in use; set "
            + (windows == .none ? "full_attention" : "sliding_window"))
      }
      if !windows.areMixed && size != nil && layers.contains(false) {
        throw file.problem("layer_types: full_attention beside a sliding window is not supported")
      }
    } else if size != nil, windows == .chosenLayers {
      let first = try file.integer("max_window_layers") ?? 28
      layers = indices.map { $0 >= first }
    } else if size != nil, windows == .alternateLayers {
      let end = try file.integer("max_window_layers") ?? 28
      layers = indices.map { $0 % 2 == 0 && $0 < end }
    } else if size != nil, windows == .namedLayers {
      throw file.problem("use_sliding_window needs layer_types; add it")
    } else if size != nil, case .pattern(let standard) = windows {
      let every = try file.integer("sliding_window_pattern") ?? standard
      guard every > 0 else {
        throw file.problem("sliding_window_pattern is \(every), but must be above 0")
      }
      layers = indices.map { ($0 + 1) % every != 0 }
    }
    if !layers.contains(false) { layers = [] }
    if !layers.isEmpty && !layers.contains(true) {
      layers = []
      size = nil
    }
    self.size = size
    self.layers = layers
  }
}
