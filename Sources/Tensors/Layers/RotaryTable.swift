internal import Foundation

/// Cosines and sines of the rotary embedding for positions `0 ..< capacity`.
package final class RotaryTable: Sendable {
  private let cosines: FloatBuffer  // [capacity][half]
  private let sines: FloatBuffer  // [capacity][half]
  private let half: Int

  /// How many positions the table covers.
  package let capacity: Int

  /// Computes the table in double precision.
  ///
  /// - Complexity: O(capacity · dimension).
  init(_ rope: Rope, capacity: Int) {
    half = rope.dimension / 2
    self.capacity = capacity
    cosines = FloatBuffer(count: capacity * half)
    sines = FloatBuffer(count: capacity * half)
    let frequencies = rope.frequencies
    for position in 0..<capacity {
      for (pair, frequency) in frequencies.enumerated() {
        let angle = Double(position) * frequency
        cosines.base[position * half + pair] = Float(cos(angle))
        sines.base[position * half + pair] = Float(sin(angle))
      }
    }
  }

  /// The table of each layer; layers that rotate alike share one.
  ///
  /// - Parameter capacity: How many positions the tables cover.
  package static func tables(for layers: [DecoderLayer], capacity: Int) -> [RotaryTable] {
    var made: [Rope: RotaryTable] = [:]
    return layers.map(\.mixer.rope).map { rope in
      let table = made[rope] ?? RotaryTable(rope, capacity: capacity)
      made[rope] = table
      return table
    }
  }

  /// The table without its reference count, for workers; whoever takes it keeps the table alive.
  var angles: Angles {
    Angles(cosines: UnsafePointer(cosines.base), sines: UnsafePointer(sines.base), half: half)
  }

  /// Where cosines and sines lie.
  struct Angles {
    let cosines: UnsafePointer<Float>  // [capacity][half]
    let sines: UnsafePointer<Float>  // [capacity][half]
    let half: Int

    /// Rotates the first `2 · half` values of one head in place to `position`.
    func rotate(_ head: UnsafeMutablePointer<Float>, to position: Int) {
      Kernels.rope(
        head, cosine: cosines + position * half, sine: sines + position * half, count: half * 2)
    }
  }
}
