import Tensors

/// The two ways to choose a column of a row of logits. Both are pure functions of the row (and of
/// the noise), and both give ties to the lowest column.
public enum Argmax {
  /// The column of the largest logit; 0 if all are NaN or `−infinity`.
  ///
  /// - Parameters:
  ///   - row: logits: [count].
  ///   - count: columns, at least 1.
  public static func index(_ row: UnsafePointer<Float>, count: Int) -> Int {
    Kernels.argmax(row, count: count)
  }

  /// The column with the largest `logit + gumbel(token)`: a sample of `softmax(row)`, and always
  /// the same one for the same noise (the Gumbel-max rule; Maddison et al., arXiv 1411.0030).
  ///
  /// Two logarithms for every column would cost more than a small model's forward pass. The
  /// search starts from the most probable token, and the leading zeros of a token's random bits
  /// bound its Gumbel number within ln 2, so that only the few columns which can still win are
  /// computed in full.
  ///
  /// - Parameters:
  ///   - row: processed logits: [count]; `−infinity` where removed.
  ///   - count: columns, at least 1.
  ///   - noise: the noise of the position that is chosen.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  public static func gumbelIndex(
    _ row: UnsafePointer<Float>, count: Int, noise: KeyedNoise.Stream, map: VocabularyMap? = nil
  ) -> Int {
    guard let map else { return gumbelIndex(row, count: count, noise: noise) { Token($0) } }
    precondition(map.tokens.count == count, "the map has one token for every column")
    return map.tokens.withUnsafeBufferPointer { tokens in
      gumbelIndex(row, count: count, noise: noise) { tokens[$0] }
    }
  }

  @inline(__always)
  private static func gumbelIndex(
    _ row: UnsafePointer<Float>, count: Int, noise: KeyedNoise.Stream, token: (Int) -> Token
  ) -> Int {
    var best = index(row, count: count)
    var value = Double(row[best]) + noise.gumbel(token(best))
    let largestGumbel = 36.75
    for column in 0..<count {
      let logit = Double(row[column])
      guard logit + largestGumbel >= value else { continue }
      let bits = noise.bits(token(column))
      guard logit + KeyedNoise.gumbelBound(bits) >= value else { continue }
      let candidate = logit + KeyedNoise.gumbel(bits)
      if candidate > value || (candidate == value && column < best) {
        value = candidate
        best = column
      }
    }
    return best
  }
}
