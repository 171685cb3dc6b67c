/// What a router's logits choose for one row.
package enum ExpertChoice {
  /// Finds the experts of the greatest logits, greatest first, and what their outputs weigh.
  ///
  /// Of equal logits the lower index wins. A NaN counts as the greatest, so that it shows in the output.
  ///
  /// - Parameters:
  ///   - logits: `[count]`; overwritten.
  ///   - experts: `[chosen]`, at most `count`.
  ///   - weights: `[chosen]`.
  /// - Complexity: O(count · chosen) at worst, O(count) usually.
  package static func choose(
    _ logits: UnsafeMutablePointer<Float>, count: Int, chosen: Int, weighting: ExpertWeighting,
    experts: UnsafeMutablePointer<Int32>, weights: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<count {
      let value = logits[index]
      var rank = min(index, chosen)
      if rank == chosen {
        guard isGreater(value, weights[chosen - 1]) else { continue }
        rank -= 1
      }
      while rank > 0, isGreater(value, weights[rank - 1]) {
        weights[rank] = weights[rank - 1]
        experts[rank] = experts[rank - 1]
        rank -= 1
      }
      weights[rank] = value
      experts[rank] = Int32(index)
    }
    let top = weights[0]
    switch weighting {
    case .ofAll, .ofAllNormalized:
      let sum = Kernels.exp(logits, into: logits, count: count, shift: top)
      for rank in 0..<chosen { weights[rank] = logits[Int(experts[rank])] / sum }
    case .ofChosen:
      Kernels.exp(weights, into: weights, count: chosen, shift: top)
    }
    guard weighting != .ofAll else { return }
    let sum = (0..<chosen).reduce(0) { $0 + weights[$1] }
    for rank in 0..<chosen { weights[rank] /= sum }
  }

  private static func isGreater(_ a: Float, _ b: Float) -> Bool { a > b || a.isNaN && !b.isNaN }
}
