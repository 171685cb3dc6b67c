import Files
import Foundation

/// Cosines and sines of the rotary embedding for positions `0 ..< capacity`.
package final class RotaryTable: Sendable {
  private let cosines: FloatBuffer  // [capacity][half]
  private let sines: FloatBuffer  // [capacity][half]
  private let half: Int
  private let pairs: RotaryPairs

  /// How many positions the table covers.
  package let capacity: Int

  /// Computes the table in double precision, as far as a shorter one doesn't hold it.
  ///
  /// - Complexity: O(capacity · dimension).
  init(_ rope: Rope, capacity: Int, extending shorter: RotaryTable?) {
    half = rope.dimension / 2
    pairs = rope.pairs
    self.capacity = capacity
    cosines = FloatBuffer(count: capacity * half)
    sines = FloatBuffer(count: capacity * half)
    let known = min(shorter?.capacity ?? 0, capacity)
    if let shorter {
      cosines.base.update(from: shorter.cosines.base, count: known * half)
      sines.base.update(from: shorter.sines.base, count: known * half)
    }
    let (frequencies, magnitude) = (rope.frequencies, rope.scaling.magnitude)
    for position in known..<capacity {
      for (pair, frequency) in frequencies.enumerated() {
        let angle = Double(position) * frequency
        cosines.base[position * half + pair] = Float(cos(angle) * magnitude)
        sines.base[position * half + pair] = Float(sin(angle) * magnitude)
      }
    }
  }

  /// The table without its reference count, for workers; whoever takes it keeps the table alive.
  var angles: Angles {
    Angles(
      cosines: UnsafePointer(cosines.base), sines: UnsafePointer(sines.base), half: half,
      pairs: pairs)
  }

  /// Where cosines and sines lie.
  struct Angles {
    let cosines: UnsafePointer<Float>  // [capacity][half]
    let sines: UnsafePointer<Float>  // [capacity][half]
    let half: Int
    let pairs: RotaryPairs

    /// Rotates the first `2 · half` values of one head in place to `position`.
    func rotate(_ head: UnsafeMutablePointer<Float>, to position: Int) {
      let start = position * half
      Kernels.rope(
        head, cosine: cosines + start, sine: sines + start, count: half * 2, pairs: pairs)
    }
  }
}

/// The rotary tables of a model's layers, which all its caches share, as far as a sequence has reached.
package final class RotaryTables {
  /// The most positions of a sequence with the usual angles; nil where these are all that there are.
  let limit: Int?
  private let usual: LayerTables
  private let long: LayerTables

  package init(layers: [DecoderLayer]) {
    let ropes = layers.map(\.mixer.rope)
    limit = ropes.compactMap(\.scaling.limit).min()
    usual = LayerTables(ropes)
    long =
      limit == nil
      ? usual
      : LayerTables(
        ropes.map { rope in
          var rope = rope
          rope.scaling = rope.scaling.forLongTexts
          return rope
        })
  }

  /// Whether a sequence that gets so many positions needs the angles of long texts.
  func areLong(reaching positions: Int) -> Bool { limit.map { positions > $0 } ?? false }

  /// The table of each layer, over at least `positions`; layers that rotate alike share one.
  ///
  /// - Parameter isLong: Whether the angles are those of long texts.
  /// - Throws: `SpeculateError` when there is no memory for longer ones.
  func covering(_ positions: Int, isLong: Bool) throws(SpeculateError) -> [RotaryTable] {
    try (isLong ? long : usual).covering(positions)
  }
}

/// Tables of layers of one kind of angles.
private final class LayerTables {
  private let ropes: [Rope]  // one a layer
  private var tables: [RotaryTable] = []  // likewise

  init(_ ropes: [Rope]) { self.ropes = ropes }

  func covering(_ positions: Int) throws(SpeculateError) -> [RotaryTable] {
    if let first = tables.first, first.capacity >= positions { return tables }
    var made: [Rope: RotaryTable] = [:]
    for (index, rope) in ropes.enumerated() where made[rope] == nil {
      try Memory.require(4 * positions * rope.dimension, for: "rotary tables")
      made[rope] = RotaryTable(
        rope, capacity: positions, extending: tables.isEmpty ? nil : tables[index])
    }
    tables = ropes.compactMap { made[$0] }
    return tables
  }
}
