/// How norms compute, and which tensors they have.
package struct NormDesign: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// RMSNorm: `x / √(mean(x²) + ε)`.
    case rootMeanSquare
    /// LayerNorm: the mean is subtracted before that.
    case layer
  }

  /// What values are multiplied with.
  package enum Scale: Sendable, Hashable {
    case stored
    /// 1 and what is stored, as in Gemma.
    case onePlusStored
    /// Nothing: the norm has no tensors, as in OLMo 1.
    case none
  }

  package var kind: Kind
  package var scale: Scale
  /// Whether something is added in the end.
  package var bias: Bool

  package init(_ kind: Kind = .rootMeanSquare, scale: Scale = .stored, bias: Bool = false) {
    self.kind = kind
    self.scale = scale
    self.bias = bias
  }
}

/// A norm of rows, with its weights.
package struct Norm: @unchecked Sendable {
  // Unchecked: the pointers are into the buffers, which nobody writes to any more.
  package let kind: NormDesign.Kind
  /// The scales `[width]`.
  package let weight: FloatBuffer
  /// What is added, `[width]`; nil for nothing.
  package let bias: FloatBuffer?
  /// Added to the mean square.
  package let epsilon: Float

  // Where the buffers lie: workers that share a buffer's reference count wait for each other.
  private let scales: UnsafePointer<Float>
  private let added: UnsafePointer<Float>?

  package init(
    _ kind: NormDesign.Kind = .rootMeanSquare, weight: FloatBuffer, bias: FloatBuffer? = nil,
    epsilon: Float
  ) {
    self.kind = kind
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
    scales = UnsafePointer(weight.base)
    added = bias.map { UnsafePointer($0.base) }
  }

  /// Takes a norm's tensors from a source.
  ///
  /// - Parameters:
  ///   - weight: Of the scales; nil if the design has none.
  ///   - bias: Likewise.
  ///   - width: Values of a row.
  /// - Throws: What the source throws for a tensor that is missing or has another shape.
  package init(
    _ source: any WeightSource, _ design: NormDesign, weight: NamedShape?, bias: NamedShape?,
    width: Int, epsilon: Float
  ) throws {
    let scales = FloatBuffer(count: width)
    if let weight, design.scale != .none {
      let stored = try source.values(weight)
      scales.base.update(from: stored.base, count: width)
      if design.scale == .onePlusStored { for index in 0..<width { scales.base[index] += 1 } }
    } else {
      scales.base.update(repeating: 1, count: width)
    }
    self.init(
      design.kind, weight: scales, bias: try bias.map(source.values), epsilon: epsilon)
  }

  /// Norms `count` values; `x` and `y` may be the same.
  ///
  /// - Parameter first: The first of the norm's scales that is used, where groups of values have scales of
  ///   their own.
  package func apply(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, first: Int = 0
  ) {
    switch kind {
    case .rootMeanSquare:
      Kernels.rmsNorm(x, weight: scales + first, into: y, count: count, epsilon: epsilon)
    case .layer:
      Kernels.layerNorm(
        x, weight: scales + first, bias: added.map { $0 + first }, into: y, count: count,
        epsilon: epsilon)
    }
  }
}
