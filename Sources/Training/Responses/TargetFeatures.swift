package import Tensors
package import Verifier

/// The target's hidden states over a sequence, by the engine that serves.
package final class TargetFeatures {
  private let runner: CausalRunner
  private let cache: KeyValueCache
  /// Values of one position: taps · hidden.
  let width: Int

  /// Makes the run state for sequences of up to `maximumLength` tokens.
  package init(model: CausalModel, workers: Workers, layers: [Int], maximumLength: Int) throws {
    runner = CausalRunner(model: model, workers: workers, maximumRows: 64, taps: layers)
    cache = try runner.makeCache(capacity: maximumLength)
    width = layers.count * model.configuration.hiddenSize
  }

  /// The features of every position but the last: [tokens − 1][taps · hidden].
  ///
  /// No anchor stands behind the last token, so nobody sees its features.
  func compute(_ tokens: [Token]) -> FloatBuffer {
    let features = FloatBuffer(count: max(0, tokens.count - 1) * width)
    cache.reset()
    tokens.withUnsafeBufferPointer { tokens in
      var start = 0
      while start < tokens.count - 1 {
        let end = min(start + runner.maximumRows, tokens.count - 1)
        runner.forward(
          UnsafeBufferPointer(rebasing: tokens[start..<end]), cache: cache, logits: .none)
        (features.base + start * width).update(from: runner.taps, count: (end - start) * width)
        start = end
      }
    }
    return features
  }
}

/// Features kept from one visit of a sequence to the next, as many as fit.
final class FeatureCache {
  private let features: TargetFeatures
  private var room: Int  // bytes left
  private var kept: [Int: FloatBuffer] = [:]

  init(_ features: TargetFeatures, bytes: Int) {
    self.features = features
    room = bytes
  }

  /// The features of sequence `number`.
  func features(of number: Int, tokens: [Token]) -> FloatBuffer {
    if let known = kept[number] { return known }
    let values = features.compute(tokens)
    let bytes = values.count * MemoryLayout<Float>.stride
    if bytes <= room {
      room -= bytes
      kept[number] = values
    }
    return values
  }
}
