/// The weights of one decoder layer: a mixer, which lets rows look at one another, then a feed-forward
/// part, each normed and added to the residual stream.
///
/// What families differ in are the values in here; a layer knows no family.
package struct DecoderLayer: Sendable {
  /// Lets a row look at those before it.
  package var mixer: Attention
  /// Transforms each row by itself.
  package var feedForward: FeedForward
  /// The norms around the mixer.
  package var mixerNorms: SublayerNorms
  /// The norms around the feed-forward part.
  package var feedForwardNorms: SublayerNorms
  /// Whether the feed-forward part takes the stream as the mixer does, without what the mixer adds.
  package var isParallel: Bool

  /// Width of the residual stream.
  var hidden: Int { mixer.output.rows }

  package var matrices: [PackedMatrix] {
    mixer.matrices + feedForward.matrices + convolutions.map(\.projection)
  }

  var convolutions: [BlockConvolution] {
    [mixerNorms.convolution, feedForwardNorms.convolution].compactMap(\.self)
  }

  /// Bytes of weights that a pass over so many rows reads, as expected.
  package func bytesRead(rows: Int) -> Double {
    feedForward.bytesRead(rows: rows)
      + Double((mixer.matrices + convolutions.map(\.projection)).reduce(0) { $0 + $1.byteCount })
  }

  /// Weights that one row is multiplied by.
  package var weightsPerRow: Int {
    feedForward.weightsPerRow
      + (mixer.matrices + convolutions.map(\.projection)).reduce(0) { $0 + $1.rows * $1.columns }
  }

  /// The formats of the matrices that the mixer multiplies context features with.
  package var contextFormats: [WeightFormat] { [mixer.key.format, mixer.value.format] }

  /// Runs the rows of `plan` through the layer: `scratch.residual` in and out.
  ///
  /// Four regions, six where the workers don't divide the key-value heads, and one more for every norm
  /// after a sublayer, or a convolution around one. In a parallel layer both sublayers look at the stream before either adds to it. Norms before one are computed by every worker for itself, which is cheaper than
  /// another region. Every value written depends on its own row, and on the cache at and before the
  /// row's last visible key, so rows are invariant to the pass they share.
  ///
  /// - Parameters:
  ///   - index: The layer's place in the caches and among the layers of `scratch`.
  ///   - observer: Is told what products took, for analysis.
  package func forward(
    _ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers,
    observer: ((ProductInput) -> Void)? = nil
  ) {
    let rows = plan.count
    func addMixed() {
      mixer.add(rows: rows, norms: mixerNorms, index: index, scratch: scratch, workers: workers)
    }
    mixerNorms.convolution?.prepare(
      plan, norms: mixerNorms, scratch: scratch, workers: workers)
    mixer.mix(plan, norms: mixerNorms, index: index, scratch: scratch, workers: workers)
    if let observer { tellMixed(plan, index: index, scratch: scratch, to: observer) }
    if !isParallel { addMixed() }
    feedForwardNorms.convolution?.prepare(
      plan, norms: feedForwardNorms, scratch: scratch, workers: workers)
    feedForward.forward(
      rows: rows, norms: feedForwardNorms, index: index, scratch: scratch, workers: workers
    ) {
      if isParallel { addMixed() }
    }
    if let observer { tellTransformed(plan, index: index, scratch: scratch, to: observer) }
  }

  /// Projects context features to what the mixer keeps of a row, without running the row.
  ///
  /// How a conditioned drafter sees its target (docs/algorithms.md 3.1): features are not input-normed.
  ///
  /// - Parameter features: `[plan.count][hidden]`.
  package func storeContext(
    _ features: ActivationRows, _ plan: RowPlan, index: Int, scratch: LayerScratch, workers: Workers
  ) {
    mixer.storeContext(features, plan, index: index, scratch: scratch, workers: workers)
  }
}
