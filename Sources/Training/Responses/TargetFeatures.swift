package import Tensors
package import Verifier

/// What a target computed over a sequence, beside its tokens.
package struct SequenceFeatures: Sendable {
  /// The tapped layers' outputs: [positions][taps · hidden].
  package let taps: FloatBuffer
  /// The last layer's outputs, normed as the head takes them: [positions][hidden]. Where nobody asked
  /// for the target's distributions, `nil`.
  package let states: FloatBuffer?

  /// Features of the given values.
  package init(taps: FloatBuffer, states: FloatBuffer? = nil) {
    self.taps = taps
    self.states = states
  }

  /// The memory that they take.
  var bytes: Int { (taps.count + (states?.count ?? 0)) * MemoryLayout<Float>.stride }
}

/// The target's hidden states over a sequence, by the engine that serves.
package final class TargetFeatures {
  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let hidden: Int
  private let width: Int  // taps · hidden
  private let finalNorm: RMSNormLayer?
  private let inverse: FloatBuffer  // [maximumRows], what the norm leaves for a backward pass

  /// Makes the run state for sequences of up to `maximumLength` tokens.
  ///
  /// - Parameter states: Whether to keep the states that the head takes, too.
  package init(
    model: CausalModel, workers: Workers, layers: [Int], states: Bool = false, maximumLength: Int
  ) throws {
    let configuration = model.configuration
    runner = CausalRunner(
      model: model, workers: workers, maximumRows: 64,
      taps: layers + (states ? [configuration.layerCount - 1] : []))
    cache = try runner.makeCache(capacity: maximumLength)
    hidden = configuration.hiddenSize
    width = layers.count * hidden
    finalNorm =
      states
      ? RMSNormLayer(offset: 0, width: hidden, epsilon: configuration.layerShape.normEpsilon) : nil
    inverse = FloatBuffer(count: runner.maximumRows)
  }

  /// The features of every position but the last.
  ///
  /// No anchor stands behind the last token, so nobody sees its features.
  package func compute(_ tokens: [Token]) -> SequenceFeatures {
    let positions = max(0, tokens.count - 1)
    let features = SequenceFeatures(
      taps: FloatBuffer(count: positions * width),
      states: finalNorm.map { _ in FloatBuffer(count: positions * hidden) })
    cache.reset()
    tokens.withUnsafeBufferPointer { tokens in
      var start = 0
      while start < positions {
        let end = min(start + runner.maximumRows, positions)
        runner.forward(
          UnsafeBufferPointer(rebasing: tokens[start..<end]), cache: cache, logits: .none)
        copy(features, start..<end)
        start = end
      }
    }
    return features
  }

  /// Takes the last pass's rows.
  private func copy(_ features: SequenceFeatures, _ range: Range<Int>) {
    guard let finalNorm, let states = features.states else {
      (features.taps.base + range.lowerBound * width).update(
        from: runner.taps, count: range.count * width)
      return
    }
    let stride = width + hidden
    for (row, position) in range.enumerated() {
      (features.taps.base + position * width).update(
        from: runner.taps + row * stride, count: width)
    }
    finalNorm.forward(
      runner.model.finalNorm.base, rows: range.count, x: runner.taps + width, xStride: stride,
      y: states.base + range.lowerBound * hidden, yStride: hidden, inverse: inverse.base)
  }
}

/// Features kept from one visit of a sequence to the next, as many as fit.
final class FeatureCache {
  private let features: TargetFeatures
  private var room: Int  // bytes left
  private var kept: [Int: SequenceFeatures] = [:]

  init(_ features: TargetFeatures, bytes: Int) {
    self.features = features
    room = bytes
  }

  /// The features of sequence `number`.
  func features(of number: Int, tokens: [Token]) -> SequenceFeatures {
    if let known = kept[number] { return known }
    let values = features.compute(tokens)
    if values.bytes <= room {
      room -= values.bytes
      kept[number] = values
    }
    return values
  }
}
