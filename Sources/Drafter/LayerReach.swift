import Files

/// How far the rows of one of a drafter's layers look.
package struct LayerReach: Sendable, Equatable {
  /// How many positions on either side, its own included, a row sees at most; nil for all.
  package var window: Int?
  /// Whether rows of a block see earlier rows alone, in this layer.
  package var isCausal = false

  package init(window: Int? = nil, isCausal: Bool = false) {
    self.window = window
    self.isCausal = isCausal
  }
}

extension DrafterConfiguration {
  /// What `layer_types`, `sliding_window`, `use_sliding_window` and `is_causal` say in z-lab's files; other projects'
  /// have no windows here.
  ///
  /// - Returns: nothing where all layers look at everything; whether all are causal in the block.
  static func reaches(
    _ file: ConfigurationFile, _ dialect: DrafterDialect, layers: ConfigurationFile, count: Int
  ) throws -> (reaches: [LayerReach], isCausal: Bool) {
    let known =
      dialect.hasWindows ? ["full_attention", "sliding_attention"] : ["full_attention"]
    var types = try layers.texts("layer_types") ?? []
    if let type = types.first(where: { !known.contains($0) }) {
      throw file.problem(
        "'\(layers.name(of: "layer_types"))': \(quoted(type)) is not supported in drafters"
          + (type == "sliding_attention" ? " of this layout" : ""))
    }
    guard types.isEmpty || types.count == count else {
      throw file.problem(
        "'layer_types' names \(types.count) layers, but 'num_hidden_layers' is \(count); correct "
          + "one of them")
    }
    guard dialect.hasWindows else { return ([], false) }
    let causal = try file.bool("is_causal")
    let slides = try file.bool("use_sliding_window") ?? false
    if types.isEmpty, slides {
      let first = try file.integer("max_window_layers") ?? 28
      types = (0..<count).map { $0 < first ? known[0] : known[1] }
    }
    guard types.contains(known[1]) else { return ([], causal ?? false) }
    guard slides else {
      throw file.problem(
        "'layer_types' names sliding_attention, but 'use_sliding_window' is not true; correct one of "
          + "them")
    }
    let window = try file.size("sliding_window", atMost: 1 << 26)
    // Where nothing is said, windows go with causal blocks.
    let areCausal = causal == nil
    let reaches = types.map {
      $0 == known[1] ? LayerReach(window: window, isCausal: areCausal) : LayerReach()
    }
    guard areCausal, reaches.allSatisfy(\.isCausal) else { return (reaches, causal ?? false) }
    return (reaches.map { LayerReach(window: $0.window) }, true)
  }

  /// The same settings, written.
  var reachMembers: [String: JSONValue] {
    guard let window = reaches.lazy.compactMap(\.window).first else { return [:] }
    var members: [String: JSONValue] = [
      "use_sliding_window": .bool(true), "sliding_window": .integer(window),
      "layer_types": .array(
        reaches.map { .string($0.window == nil ? "full_attention" : "sliding_attention") }),
    ]
    if !reaches.contains(where: \.isCausal) { members["is_causal"] = .bool(isCausal) }
    return members
  }

  /// How far the rows of a layer look.
  package func reach(ofLayer index: Int) -> LayerReach {
    reaches.indices.contains(index) ? reaches[index] : LayerReach()
  }
}
