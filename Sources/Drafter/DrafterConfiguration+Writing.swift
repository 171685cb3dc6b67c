internal import Files
package import Foundation
import Tensors

extension DrafterConfiguration {
  /// The content of `config.json`, in the layout of published DFlash drafters; one that sees tokens alone
  /// has `deer_config` where they have `dflash_config`.
  ///
  /// Reading it back with `init(directory:)` gives the same configuration.
  package func encoded() -> Data {
    var members: [String: JSONValue] = [
      "architectures": .array([.string(architecture)]),
      "block_size": .integer(blockSize),
      "tie_word_embeddings": .bool(true),
    ]
    members.merge(layerMembers) { _, new in new }
    members.merge(kindMembers) { _, new in new }
    members.merge(reachMembers) { _, new in new }
    members.merge(heads.members) { _, new in new }
    if let draftVocabularySize { members["draft_vocab_size"] = .integer(draftVocabularySize) }
    if shortestBlock < blockSize { members["min_block_size"] = .integer(shortestBlock) }
    return JSONValue.object(members).encoded()
  }
  /// What all layouts say of the layers, as of Qwen 3's.
  var layerMembers: [String: JSONValue] {
    [
      "model_type": .string("qwen3"),
      "vocab_size": .integer(vocabularySize),
      "hidden_size": .integer(shape.hidden),
      "intermediate_size": .integer(shape.intermediate),
      "num_hidden_layers": .integer(layerCount),
      "num_attention_heads": .integer(shape.heads),
      "num_key_value_heads": .integer(shape.keyValueHeads),
      "head_dim": .integer(shape.headDimension),
      "hidden_act": .string("silu"),
      "attention_bias": .bool(false),
      // The shortest decimal of the f32, not the longer one of the double it widens to.
      "rms_norm_eps": .number(Double("\(shape.normEpsilon)") ?? Double(shape.normEpsilon)),
      "rope_theta": .number(ropeTheta),
      "rope_scaling": ropeScaling.encoded,
      "max_position_embeddings": .integer(maximumContext),
    ]
  }
}
