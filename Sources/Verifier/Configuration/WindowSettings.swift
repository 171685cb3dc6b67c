import Files

/// The sliding window of `config.json` and the layers it applies to.
///
/// In every layer: `sliding_window`, 4096 if absent, none if null. In chosen layers: only with
/// `use_sliding_window`, for the layers that `layer_types` names, or those from `max_window_layers` on.
struct WindowSettings {
  let size: Int?
  /// One entry per layer; empty for all layers, and where there is no window.
  let layers: [Bool]

  init(_ file: ConfigurationFile, windows: ModelFamily.Windows, layerCount: Int) throws {
    var size: Int?
    switch windows {
    case .none: size = nil
    case .everyLayer: size = file.has("sliding_window") ? try file.integer("sliding_window") : 4096
    case .chosenLayers:
      size =
        try file.bool("use_sliding_window") ?? false
        ? (file.has("sliding_window") ? try file.integer("sliding_window") : 4096) : nil
    }
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
        case "full_attention": return false
        default:
          throw file.problem("layer_types: layers of type \(quoted(type)) are not supported")
        }
      }
      if size == nil && layers.contains(true) {
        throw file.problem(
          "layer_types has sliding_attention, but no sliding window is in use; set "
            + (windows == .none ? "full_attention" : "sliding_window"))
      }
      if windows == .everyLayer && size != nil && layers.contains(false) {
        throw file.problem("layer_types: full_attention beside a sliding window is not supported")
      }
    } else if size != nil, windows == .chosenLayers {
      let first = try file.integer("max_window_layers") ?? 28
      layers = (0..<max(0, min(layerCount, 1 << 12))).map { $0 >= first }
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
