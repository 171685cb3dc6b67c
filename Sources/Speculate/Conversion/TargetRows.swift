import Files
import Foundation
package import Tensors
package import Verifier

/// A target's embedding and head, of which drafters for other programs have copies.
package struct TargetRows {
  /// [vocabulary][hidden]
  let embedding: FloatBuffer
  private let head: FloatBuffer
  private let width: Int

  /// Reads both, as f32.
  ///
  /// - Throws: `SpeculateError` if the target can't be read, or makes of their values what copies in a drafter
  ///   don't.
  package init(_ model: ModelConfiguration, at url: URL) throws {
    guard model.embeddingScale == 1, !model.changesLogits, model.headBias == nil else {
      throw SpeculateError(
        "\(url.path): scales its embedding or logits, which copies of them in a drafter don't; keep the "
          + "drafter's folder")
    }
    let weights = try ModelWeights(url)
    let names = model.family.tensors
    let shape = [model.vocabularySize, model.hiddenSize]
    width = model.hiddenSize
    embedding = try weights.values(NamedShape(names.embedding, shape))
    head =
      weights.holds(names.head) && !model.tiesEmbeddings
      ? try weights.values(NamedShape(names.head, shape)) : embedding
  }

  /// The rows of the head for some tokens: [tokens][hidden].
  package func head(of tokens: [Token]) -> FloatBuffer {
    let rows = FloatBuffer(count: tokens.count * width)
    for (index, token) in tokens.enumerated() {
      (rows.base + index * width).update(from: head.base + Int(token) * width, count: width)
    }
    return rows
  }
}
