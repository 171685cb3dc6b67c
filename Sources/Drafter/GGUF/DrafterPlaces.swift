import Files
import Tensors

/// What GGUF files call a drafter's tensors: those of the architecture `dflash`.
enum DrafterPlaces {
  /// The architecture.
  static let architecture = "dflash"
  /// The tokens of the draft vocabulary; folders have them less their index.
  static let draftVocabulary = "d2t"

  /// Copies of the target's, which a file may have.
  static let (embedding, head) = ("token_embd.weight", "output.weight")

  /// Names outside the layers; those of heads as well.
  private static let names = [
    "fc.weight": "fc.weight",
    "hidden_norm.weight": "enc.output_norm.weight",
    "norm.weight": "output_norm.weight",
    "embed_tokens.weight": embedding,
    "lm_head.weight": head,
    "markov_head.markov_w1.weight": "markov_w1.weight",
    "markov_head.markov_w2.weight": "markov_w2.weight",
    "candidate_selector.predecessor_codebook": "selector_predecessor.weight",
    "candidate_selector.successor_codebook": "selector_successor.weight",
    "candidate_selector.hidden_projection.weight": "selector_hidden.weight",
    "confidence_head.proj.weight": "conf_proj.weight",
    "confidence_head.proj.bias": "conf_proj.bias",
    // Our own; other programs don't look for it.
    "confidence_head.own.weight": "conf_own.weight",
  ]

  /// Where a file has the tensors of a drafter.
  static func places(of drafter: DrafterConfiguration) -> [String: GGUFSource.Place] {
    var places = names.mapValues { GGUFSource.Place($0) }
    for layer in 0..<drafter.layerCount {
      for (role, tensor) in drafter.layout(ofLayer: layer).tensors {
        places[tensor.name] = GGUFSource.Place(role.ggufName(layer: layer))
      }
    }
    return places
  }

  /// A file's name for a tensor outside the layers.
  static func name(of tensor: NamedShape) -> String? { names[tensor.name] }
}
