/// Draws the anchors of a sequence: a function of the seed and the visit's number alone.
package enum AnchorSampler {
  /// Up to `count` distinct positions of `range`, ascending.
  package static func anchors(
    _ count: Int, from range: Range<Int>, seed: UInt64, visit: Int
  ) -> [Int] {
    guard range.count > count else { return Array(range) }
    var random = KeyedRandom(seed: seed, key: "anchors \(visit)")
    // Floyd's method: every subset is equally likely.
    var chosen: Set<Int> = []
    for bound in range.count - count..<range.count {
      let pick = Int(random.next() % UInt64(bound + 1))
      chosen.insert(chosen.contains(pick) ? bound : pick)
    }
    return chosen.map { $0 + range.lowerBound }.sorted()
  }
}
