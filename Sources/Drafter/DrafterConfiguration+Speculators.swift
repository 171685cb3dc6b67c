internal import Files
package import Foundation
import Tensors

extension DrafterConfiguration {
  /// The content of `config.json` in the layout of vLLM's speculators: the layers' settings by themselves,
  /// target layers counted by what comes into them.
  ///
  /// Reading it back with `init(directory:)` gives the same configuration but for the number of target layers,
  /// which that layout doesn't have.
  ///
  /// - Parameters:
  ///   - target: The target's architecture.
  ///   - name: What the target is called.
  package func encodedForSpeculators(target: String, named name: String) -> Data {
    let (algorithm, architecture) =
      heads.list.isEmpty ? ("dflash", "DFlashDraftModel") : ("dspark", "DSparkDraftModel")
    var layers = layerMembers
    layers["layer_types"] = .array(
      [JSONValue](repeating: .string("full_attention"), count: layerCount))
    var members: [String: JSONValue] = [
      "speculators_model_type": .string(algorithm),
      "architectures": .array([.string(architecture)]),
      "aux_hidden_state_layer_ids": .array(targetLayers.map { .integer($0 + 1) }),
      "block_size": .integer(blockSize),
      "draft_vocab_size": .integer(choices),
      "mask_token_id": .integer(Int(maskToken)),
      "sample_from_anchor": .bool(samplesAnchor),
      "sliding_window_non_causal": .bool(false),
      "transformer_layer_config": .object(layers),
      "speculators_config": .object([
        "algorithm": .string(algorithm),
        "default_proposal_method": .string("greedy"),
        "proposal_methods": .array([
          .object([
            "proposal_type": .string("greedy"), "speculative_tokens": .integer(maximumDrafts),
          ])
        ]),
        "verifier": .object([
          "architectures": .array([.string(target)]), "name_or_path": .string(name),
        ]),
      ]),
    ]
    members.merge(heads.members) { _, new in new }
    if shortestBlock < blockSize { members["min_block_size"] = .integer(shortestBlock) }
    return JSONValue.object(members).encoded()
  }
}
