import Foundation
package import Tensors

/// One decoder layer in plain Swift, one row and one sum after another: the yardstick for layers.
///
/// Which norms, gates and biases there are is told by which tensors there are.
package struct PlainLayer {
  package var heads: Int
  package var keyValueHeads: Int
  package var dimension: Int
  /// Values of a head that are rotated.
  package var rotated: Int
  package var theta = 10_000.0
  package var scale: Float
  package var window: Int?
  package var epsilon: Float = 1e-6
  /// What the norms around sublayers compute.
  package var normDesign = NormDesign()
  /// What the norms of heads compute.
  package var headNorm = NormDesign()
  /// The greatest magnitude of queries, keys and values.
  package var clip: Float?
  package var flow = ResidualFlow.sequential
  /// Of the feed-forward part, which has a gate if there is such a tensor.
  package var activation: (Float) -> Float = { $0 / (1 + exp(-$0)) }
  /// The values of a tensor, by the name that Llama has for it; the norms after the sublayers are
  /// `mixer_post` and `feed_forward_post`.
  package var tensor: (String) -> [Float]?
  /// What stands in the place of the feed-forward part; nil for nothing.
  package var transform: (([Float]) -> [Float])?

  package init(
    heads: Int, keyValueHeads: Int, dimension: Int, rotated: Int, scale: Float,
    tensor: @escaping (String) -> [Float]?
  ) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.dimension = dimension
    self.rotated = rotated
    self.scale = scale
    self.tensor = tensor
  }

  /// The residual stream after the layer.
  ///
  /// - Parameters:
  ///   - rows: The stream before it: [rows][hidden].
  ///   - context: Features whose keys and values stand before the rows'.
  package func forward(_ rows: [[Float]], context: [[Float]] = []) -> [[Float]] {
    let inputs = context + rows.map { norm($0, "input_layernorm.weight") }
    let keys = inputs.enumerated().map { position, x in
      rotate(
        split(clipped(linear(x, "self_attn.k_proj"))), norm: "self_attn.k_norm.weight", position)
    }
    let values = inputs.map { split(clipped(linear($0, "self_attn.v_proj"))) }
    return rows.enumerated().map { index, row in
      let position = context.count + index
      let queries = rotate(
        split(clipped(linear(inputs[position], "self_attn.q_proj"))),
        norm: "self_attn.q_norm.weight",
        position)
      let seen = max(0, position + 1 - (window ?? .max))...position
      let attended = queries.enumerated().flatMap { head, query in
        let group = head / (heads / keyValueHeads)
        let scores = seen.map { exp(dot(query, keys[$0][group]) * scale) }
        let sum = scores.reduce(0, +)
        return (0..<dimension).map { column in
          zip(seen, scores).reduce(0) { $0 + $1.1 / sum * values[$1.0][group][column] }
        }
      }
      let middle = add(row, norm(linear(attended, "self_attn.o_proj"), "mixer_post"))
      let x =
        switch flow {
        case .sequential: norm(middle, "post_attention_layernorm.weight")
        case .parallel: norm(row, "post_attention_layernorm.weight")
        case .parallelSharingNorm: norm(row, "input_layernorm.weight")
        }
      return add(middle, norm((transform ?? feedForward)(x), "feed_forward_post"))
    }
  }

  private func feedForward(_ x: [Float]) -> [Float] {
    let up = linear(x, "mlp.up_proj")
    let inner =
      tensor("mlp.gate_proj.weight") == nil
      ? up.map(activation) : zip(linear(x, "mlp.gate_proj"), up).map { activation($0) * $1 }
    return linear(inner, "mlp.down_proj")
  }

  /// The norm of a row; the row itself without such a tensor, if norms have tensors.
  package func norm(_ x: [Float], _ name: String) -> [Float] { norm(x, name, normDesign) }

  private func norm(
    _ x: [Float], _ name: String, _ design: NormDesign, part: Int = 0
  ) -> [Float] {
    let stored = tensor(name)
    let isBefore = name.hasSuffix("weight")
    guard stored != nil || design.scale == .none && isBefore else { return x }
    let mean = design.kind == .layer ? x.reduce(0, +) / Float(x.count) : 0
    let centred = x.map { $0 - mean }
    let inverse = 1 / (dot(centred, centred) / Float(x.count) + epsilon).squareRoot()
    let bias = isBefore ? tensor(name.replacing("weight", with: "bias")) : nil
    return centred.indices.map { index in
      let place = index + (stored?.count == x.count ? 0 : part * x.count)
      let weight = stored.map { $0[place] + (design.scale == .onePlusStored ? 1 : 0) } ?? 1
      return centred[index] * inverse * weight + (bias?[place] ?? 0)
    }
  }

  private func rotate(_ vectors: [[Float]], norm name: String, _ position: Int) -> [[Float]] {
    vectors.enumerated().map { head, vector in
      let x = tensor(name) == nil ? vector : norm(vector, name, headNorm, part: head)
      var out = x
      for pair in 0..<rotated / 2 {
        let angle = Double(position) * pow(theta, -2 * Double(pair) / Double(rotated))
        let (a, b) = (x[pair], x[pair + rotated / 2])
        out[pair] = a * Float(cos(angle)) - b * Float(sin(angle))
        out[pair + rotated / 2] = b * Float(cos(angle)) + a * Float(sin(angle))
      }
      return out
    }
  }

  /// A product with a weight, and the bias if there is one.
  package func linear(_ x: [Float], _ name: String) -> [Float] {
    let weights = tensor(name + ".weight") ?? []
    let bias = tensor(name + ".bias")
    return (0..<weights.count / x.count).map { row in
      dot(x, weights[row * x.count..<(row + 1) * x.count]) + (bias?[row] ?? 0)
    }
  }

  private func clipped(_ x: [Float]) -> [Float] {
    clip.map { bound in x.map { min(max($0, -bound), bound) } } ?? x
  }

  private func split(_ x: [Float]) -> [[Float]] {
    stride(from: 0, to: x.count, by: dimension).map { Array(x[$0..<$0 + dimension]) }
  }

  private func dot(_ a: [Float], _ b: some Sequence<Float>) -> Float {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func add(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map(+) }
}
