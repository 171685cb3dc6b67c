package import Files
package import Tensors
package import Verifier

/// What a target computed over a sequence, beside its tokens.
package struct SequenceFeatures: Sendable {
  /// The tapped layers' outputs: [positions][taps · hidden].
  package let taps: FloatBuffer
  /// The last layer's outputs, normed as the head takes them: [positions][hidden]. Where nobody asked
  /// for the target's distributions, `nil`.
  package let states: FloatBuffer?

  package init(taps: FloatBuffer, states: FloatBuffer? = nil) {
    self.taps = taps
    self.states = states
  }
}

/// The target's hidden states over a sequence, by the engine that serves.
package final class TargetFeatures {
  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let hidden: Int
  private let width: Int  // taps · hidden
  /// Whether the states that the head takes are kept, too.
  let states: Bool
  private let inverse: FloatBuffer  // [maximumRows], what the norm leaves for a backward pass

  /// Makes the run state for sequences of up to `maximumLength` tokens.
  ///
  /// - Parameter states: Whether to keep the states that the head takes, too.
  package init(
    model: CausalModel, workers: Workers, layers: [Int], states: Bool = false, maximumLength: Int
  ) throws {
    let configuration = model.configuration
    guard !states || !configuration.changesLogits else {
      throw SpeculateError(
        "the target scales or caps its logits, and its distributions can't be learned from its states: "
          + "give another ‘objective’")
    }
    runner = CausalRunner(
      model: model, workers: workers, maximumRows: 64,
      taps: layers + (states ? [configuration.layerCount - 1] : []))
    cache = try runner.makeCache(capacity: maximumLength)
    hidden = configuration.hiddenSize
    width = layers.count * hidden
    self.states = states
    inverse = FloatBuffer(count: runner.maximumRows)
  }

  /// The features of every position but the last.
  ///
  /// No anchor stands behind the last token, so nobody sees its features.
  ///
  /// - Throws: ``Stopped`` when `shouldStop` says so.
  package func compute(
    _ tokens: [Token], shouldStop: () -> Bool = { false }
  ) throws -> SequenceFeatures {
    let positions = max(0, tokens.count - 1)
    let features = room(positions: positions)
    let slots = Array(runner.tapLayers.indices)
    cache.reset()
    var isStopped = false
    runner.read(tokens.dropLast(), into: cache) { piece in
      copy(runner.taps, slots: slots, stride: slots.count * hidden, to: features, piece)
      isStopped = shouldStop()
      return !isStopped
    }
    if isStopped { throw Stopped() }
    return features
  }

  /// The features of every position but the last, from what was stored of the same tokens.
  ///
  /// - Returns: Nil if a layer is missing there.
  func take(_ record: FeatureRecord) -> SequenceFeatures? {
    guard let slots = slots(in: record.settings) else { return nil }
    let features = room(positions: record.positions - 1)
    let stride = record.settings.layers.count * hidden
    let rows = FloatBuffer(count: runner.maximumRows * stride)
    var start = 0
    while start < record.positions - 1 {
      let end = min(start + runner.maximumRows, record.positions - 1)
      record.copyTaps(start..<end, into: rows.base)
      copy(rows.base, slots: slots, stride: stride, to: features, start..<end)
      start = end
    }
    return features
  }

  /// Where the layers that are wanted stand among those that were stored, or nil if one is missing.
  func slots(in settings: FeatureSettings) -> [Int]? {
    guard settings.hidden == hidden else { return nil }
    let slots = runner.tapLayers.compactMap { settings.layers.firstIndex(of: $0) }
    return slots.count == runner.tapLayers.count ? slots : nil
  }

  /// The layers that are wanted, the last one included where states are.
  var layers: [Int] { Set(runner.tapLayers).sorted() }

  private func room(positions: Int) -> SequenceFeatures {
    SequenceFeatures(
      taps: FloatBuffer(count: positions * width),
      states: states ? FloatBuffer(count: positions * hidden) : nil)
  }

  /// Takes rows of layers' outputs for a range of positions.
  ///
  /// - Parameters:
  ///   - rows: [range][stride].
  ///   - slots: Where each wanted layer's output stands in a row, in widths of the target.
  private func copy(
    _ rows: UnsafePointer<Float>, slots: [Int], stride: Int, to features: SequenceFeatures,
    _ range: Range<Int>
  ) {
    for (row, position) in range.enumerated() {
      for (index, slot) in slots.prefix(width / hidden).enumerated() {
        (features.taps.base + position * width + index * hidden).update(
          from: rows + row * stride + slot * hidden, count: hidden)
      }
    }
    guard let states = features.states, let last = slots.last else { return }
    let norm = runner.model.finalNorm
    let (x, y) = (rows + last * hidden, states.base + range.lowerBound * hidden)
    switch norm.kind {
    case .rootMeanSquare:
      RMSNormLayer(offset: 0, width: hidden, epsilon: norm.epsilon).forward(
        norm.weight.base, rows: range.count, x: x, xStride: stride, y: y, yStride: hidden,
        inverse: inverse.base)
    case .layer:
      for row in range.indices.map({ $0 - range.lowerBound }) {
        norm.apply(x + row * stride, into: y + row * hidden, count: hidden)
      }
    }
  }
}
