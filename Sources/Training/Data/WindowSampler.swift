/// The order in which windows of a token stream are visited.
///
/// Each epoch cuts the stream into windows at its own random offset and visits all of them once in
/// a shuffled order. Where a window lies is a function of the seed and its number alone: the data
/// position of a resumed run is one integer.
package struct WindowSampler: Sendable {
  package let tokens: Int
  /// Tokens of a window; one more is read, the last target.
  package let length: Int
  private let seed: UInt64
  private let perEpoch: Int
  private var epoch = -1
  private var offset = 0
  private var order: [Int32] = []

  /// A sampler of windows of `length` tokens, or nil if the stream is shorter than two of them.
  package init?(tokens: Int, length: Int, seed: UInt64) {
    guard length > 0, tokens >= 2 * length + 1 else { return nil }
    self.tokens = tokens
    self.length = length
    self.seed = seed
    // One window less than fits, so that every offset in 0..<length leaves room.
    perEpoch = (tokens - 1) / length - 1
  }

  /// The first token of window `number`, which counts on from epoch to epoch.
  package mutating func start(ofWindow number: Int) -> Int {
    let wanted = number / perEpoch
    if wanted != epoch {
      epoch = wanted
      var random = KeyedRandom(seed: seed, key: UInt64(wanted))
      offset = Int(random.next() % UInt64(length))
      order = (0..<Int32(perEpoch)).shuffled(using: &random)
    }
    return offset + Int(order[number % perEpoch]) * length
  }
}
