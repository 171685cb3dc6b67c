import Files

/// Chooses one of a few actions by what each brought, in one of a few situations: the best mean so far, and
/// now and then another one.
package struct Bandit: Sendable, Equatable {
  /// [situations][actions]
  private var means: [[Mean]]
  private var counts: [[Int]]
  private var isSettled = false

  /// One in so many rounds tries another action.
  private static let explored: UInt64 = 20
  /// Every action is tried so often first.
  private static let first = 2

  package init(situations: Int, actions: Int) {
    means = Array(
      repeating: Array(repeating: Mean(0, weight: 0), count: actions), count: situations)
    counts = Array(repeating: Array(repeating: 0, count: actions), count: situations)
  }

  /// Always takes the best action from now on.
  package mutating func settle() { isSettled = true }

  package func action(in situation: Int, key: UInt64) -> Int {
    guard !isSettled else { return best(in: situation) }
    let actions = means[situation].indices
    if let untried = actions.first(where: { counts[situation][$0] < Self.first }) { return untried }
    let mixed = SplitMix.mix(key &+ SplitMix.step)
    if mixed % Self.explored == 0 { return Int(mixed / Self.explored % UInt64(actions.count)) }
    return best(in: situation)
  }

  /// The action that brought most; of equal ones the first.
  package func best(in situation: Int) -> Int {
    means[situation].indices.max {
      (means[situation][$0].value, -$0) < (means[situation][$1].value, -$1)
    } ?? 0
  }

  package mutating func learn(_ reward: Double, of action: Int, in situation: Int) {
    guard reward.isFinite, !isSettled else { return }
    means[situation][action].add(reward)
    counts[situation][action] += 1
  }
}
