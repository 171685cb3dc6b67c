/// How likely the target accepts a draft, learned while decoding.
///
/// `c_i`, the chance of the draft at place `i` once all before it were accepted, is an
/// exponentially decayed frequency per place. A place with few observations leans on the rate of
/// all places together, and that one on an optimistic prior, so that speculation is tried first
/// and judged by what it brings.
package struct SurvivalEstimator: Sendable, Equatable, Codable {
  /// What each observation leaves of the weight of those before it at the same place.
  private static let decay = 0.98
  /// Observations that the rate of all places counts for at each place.
  private static let priorWeight = 4.0
  /// The chance of acceptance before anything was seen, and how many observations it counts for.
  private let firstRate: Double
  private let firstWeight: Double

  private var hits: [Double] = []
  private var trials: [Double] = []
  private var allHits = 0.0
  private var allTrials = 0.0

  /// An estimator that has seen nothing.
  ///
  /// - Parameters:
  ///   - firstRate: the chance of acceptance until something was seen.
  ///   - firstWeight: how many observations that counts for.
  package init(firstRate: Double = 0.7, firstWeight: Double = 8) {
    self.firstRate = firstRate
    self.firstWeight = firstWeight
    hits.reserveCapacity(FreeDraftKind.longest)
    trials.reserveCapacity(FreeDraftKind.longest)
  }

  /// Whether counts are what learning leaves: files may have been edited.
  var isSound: Bool {
    (0...1).contains(firstRate) && (0...1e6).contains(firstWeight) && hits.count <= 1024
      && Self.areSound(hits + [allHits], trials + [allTrials])
  }

  static func areSound(_ hits: [Double], _ trials: [Double]) -> Bool {
    hits.count == trials.count
      && zip(hits, trials).allSatisfy { $0 >= 0 && $0 <= $1 * (1 + 1e-9) && $1 <= 1e6 }
  }

  /// Observations of other texts that still count, at most.
  private static let keptWeight = 16.0

  /// Lets what comes next count for more.
  mutating func fade() {
    Self.fade(&hits, &trials)
    let share = min(1, 4 * Self.keptWeight / max(allTrials, 1))
    (allHits, allTrials) = (allHits * share, allTrials * share)
    hits.reserveCapacity(FreeDraftKind.longest)
    trials.reserveCapacity(FreeDraftKind.longest)
  }

  static func fade(_ hits: inout [Double], _ trials: inout [Double]) {
    for index in trials.indices where trials[index] > keptWeight {
      hits[index] *= keptWeight / trials[index]
      trials[index] = keptWeight
    }
  }

  /// The chance that the draft at `place` (0 for the one after the anchor) is accepted, given that
  /// all before it were.
  package func conditional(_ place: Int) -> Double {
    let pooled = (allHits + firstRate * firstWeight) / (allTrials + firstWeight)
    guard place < trials.count else { return pooled }
    return (hits[place] + pooled * Self.priorWeight) / (trials[place] + Self.priorWeight)
  }

  /// `a_j = Π_{i≤j} c_i` for drafts `1...count`: the chance that at least `j` are accepted.
  package func survival(_ count: Int, into survival: inout [Double]) {
    survival.removeAll(keepingCapacity: true)
    var product = 1.0
    for place in 0..<count {
      product *= conditional(place)
      survival.append(product)
    }
  }

  /// Learns from one draft, all before it having been accepted.
  package mutating func record(place: Int, accepted: Bool) {
    while trials.count <= place {
      hits.append(0)
      trials.append(0)
    }
    if place == 0 {
      allHits *= Self.decay
      allTrials *= Self.decay
    }
    let hit = accepted ? 1.0 : 0
    hits[place] = hits[place] * Self.decay + hit
    trials[place] = trials[place] * Self.decay + 1
    allHits += hit
    allTrials += 1
  }
}
