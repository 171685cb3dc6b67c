/// The order in which sequences are visited: shuffled anew in every epoch.
///
/// Which sequence a visit goes to is a function of the seed and the visit's number alone.
package struct VisitOrder: Sendable {
  private let count: Int
  private let seed: UInt64
  private var epoch = -1
  private var order: [Int32] = []

  package init(count: Int, seed: UInt64) {
    precondition(count > 0, "there is something to visit")
    self.count = count
    self.seed = seed
  }

  /// The sequence of visit `number`, which counts on from epoch to epoch.
  package mutating func sequence(ofVisit number: Int) -> Int {
    if number / count != epoch {
      epoch = number / count
      var random = KeyedRandom(seed: seed, key: "visits \(epoch)")
      order = (0..<Int32(count)).shuffled(using: &random)
    }
    return Int(order[number % count])
  }
}
