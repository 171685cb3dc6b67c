import Foundation
import Tensors

/// How long a cache line took between the cores of two threads, before a measurement and after it.
///
/// The processors of a virtual machine change places: far from each other they read faster, and every
/// region costs more. Figures of two places shouldn't be compared, and this is how to tell.
package struct CoreDistance: Codable, Sendable, Equatable {
  /// Nanoseconds before and after.
  package var nanoseconds: [Double]

  /// Measures before; nil for one thread.
  package init?(threads: Int) {
    guard let before = Self.measure(threads: threads) else { return nil }
    nanoseconds = [before]
  }

  package init(nanoseconds: [Double]) { self.nanoseconds = nanoseconds }

  /// The same, measured after as well.
  package func again() -> Self {
    Self(nanoseconds: nanoseconds + [Self.measure(threads: 2)].compactMap { $0 })
  }

  private static func measure(threads: Int) -> Double? {
    guard threads > 1 else { return nil }
    return Workers(count: 2).distance().map { 1e9 * $0 }
  }

  /// Whether the cores were at places that differ.
  ///
  /// One place gives between 25 and 60 ns, the other between 170 and 220.
  package var moved: Bool { (nanoseconds.max() ?? 0) > 2.6 * (nanoseconds.min() ?? 0) }

  /// `cores 52 ns apart`, or `cores 52 ns apart, then 190: figures mix both`.
  package var text: String {
    let values = nanoseconds.map { String(format: "%.0f", $0) }
    return "cores \(values.first ?? "0") ns apart"
      + (moved ? ", then \(values.last ?? "0"): figures mix both" : "")
  }

  package init(from decoder: any Swift.Decoder) throws {
    nanoseconds = try decoder.singleValueContainer().decode([Double].self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(nanoseconds)
  }
}
