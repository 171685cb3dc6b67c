import Files
import Foundation

/// A head beside a configuration that ties it to the embedding.
enum TiedHead {
  /// Whether a file holds a head of other values than the embedding's although `tie_word_embeddings` is true.
  /// Then the file counts, as in transformers 5.
  ///
  /// - Throws: `SpeculateError` when a tensor can't be read.
  static func differs(_ configuration: ModelConfiguration, _ checkpoint: Checkpoint) throws -> Bool
  {
    let names = configuration.family.tensors
    guard configuration.tiesEmbeddings, configuration.quantization == nil,
      let head = checkpoint.shape(of: names.head),
      let embedding = checkpoint.shape(of: names.embedding)
    else { return false }
    guard head == embedding,
      checkpoint.storedType(of: names.head) == checkpoint.storedType(of: names.embedding)
    else { return true }
    return try checkpoint.withBytes(of: names.head) { head in
      try checkpoint.withBytes(of: names.embedding) { embedding in
        guard let head = head.baseAddress, let other = embedding.baseAddress else { return false }
        // Of one length, by their shapes and types.
        return memcmp(head, other, embedding.count) != 0
      }
    }
  }

  static func notice(_ configuration: ModelConfiguration, path: String) -> Notice {
    Notice(
      path + "/config.json", keys: ["tie_word_embeddings"],
      "it is true, but \(configuration.family.tensors.head) differs from the embedding and is used; set "
        + "it to false")
  }
}
