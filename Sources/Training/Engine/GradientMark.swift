import Synchronization

/// How much of a gradient is final: all of it from a value on, which sinks as a backward pass goes from a
/// model's last tensor to its first.
package final class GradientMark: Sendable {
  private let first: Atomic<Int>

  /// A mark behind the last of `count` values: none of them is final.
  package init(count: Int) { first = Atomic(count) }

  /// The first value from which on all are final. What they are can be read by the thread that asks.
  package var value: Int { first.load(ordering: .acquiring) }

  /// Says that the values from `offset` on are final.
  package func settle(from offset: Int) { first.store(offset, ordering: .releasing) }
}
