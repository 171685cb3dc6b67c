import Files
import Tensors
import TestSupport
import Verifier

/// The names, shapes and random values of a model's tensors, as its layout lists them.
func tensors(
  _ configuration: ModelConfiguration
) -> [(name: String, shape: [Int], values: FloatBuffer)] {
  let names = configuration.family.tensors
  var tensors = (0..<configuration.layerCount).flatMap { layer in
    configuration.layout(ofLayer: layer).tensors.map { ($0.tensor.name, $0.tensor.shape) }
  }
  tensors.append((names.finalNorm, [configuration.hiddenSize]))
  tensors.append((names.embedding, [configuration.vocabularySize, configuration.hiddenSize]))
  let source = RandomSource(seed: 5)
  return tensors.map { ($0.0, $0.1, source.values($0.0, $0.1)) }
}

/// The logits of every position by plain sums, for a model with those tensors, a tied head and Llama's names.
///
/// - Parameter postNorm: What the norm on attention's output is called.
func plainLogits(
  _ configuration: ModelConfiguration, _ tokens: [Token], postNorm: String, scale: Float
) -> [[Float]] {
  let values = Dictionary(
    uniqueKeysWithValues: tensors(configuration).map { name, _, values in
      (name, (0..<values.count).map { values.base[$0] })
    })
  let hidden = configuration.hiddenSize
  func layer(_ prefix: String) -> PlainLayer {
    PlainLayer(
      heads: configuration.headCount, keyValueHeads: configuration.keyValueHeadCount,
      dimension: configuration.headDimension,
      rotated: Int(Double(configuration.headDimension) * configuration.rotatedShare), scale: scale
    ) { values[prefix + ($0 == "mixer_post" ? "\(postNorm).weight" : $0)] }
  }
  let table = values["model.embed_tokens.weight"] ?? []
  let embeddings = stride(from: 0, to: table.count, by: hidden).map {
    Array(table[$0..<$0 + hidden])
  }
  var rows = tokens.map { embeddings[Int($0)] }
  for index in 0..<configuration.layerCount {
    rows = layer("model.layers.\(index).").forward(rows)
  }
  return rows.map { row in
    let x = layer("model.").norm(row, "norm.weight")
    return embeddings.map { zip(x, $0).reduce(0) { $0 + $1.0 * $1.1 } }
  }
}

/// The bits of a row of logits.
func bits(_ runner: CausalRunner, row: Int) -> [UInt32] {
  let width = runner.model.configuration.vocabularySize
  return (0..<width).map { runner.logits[row * width + $0].bitPattern }
}

/// The bits of the logits after every token of a text that is read in pieces.
func rows(_ runner: CausalRunner, _ tokens: [Token], _ piece: Int) throws -> [[UInt32]] {
  let cache = try runner.makeCache(capacity: tokens.count)
  return stride(from: 0, to: tokens.count, by: piece).flatMap { start in
    let part = Array(tokens[start..<min(start + piece, tokens.count)])
    part.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
    return part.indices.map { bits(runner, row: $0) }
  }
}
