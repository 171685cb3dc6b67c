import Files
import Foundation
import Tensors

/// The two ways to choose a column of a row of logits. Both are pure functions of the row (and of
/// the noise), and both give ties to the lowest column.
package enum Argmax {
  /// The column of the largest logit; 0 if all are NaN or `−infinity`.
  ///
  /// - Parameters:
  ///   - row: logits: [count].
  ///   - count: columns, at least 1.
  package static func index(_ row: UnsafePointer<Float>, count: Int) -> Int {
    Kernels.argmax(row, count: count)
  }

  /// The column with the largest `logit + gumbel(token)`: a sample of `softmax(row)`, and always
  /// the same one for the same noise (the Gumbel-max rule; Maddison et al., arXiv 1411.0030).
  ///
  /// Two logarithms for every column would cost more than a small model's forward pass. A column
  /// wins if its exponential number `E = −log(1 − u)` is at most `exp(logit − best)`, and `E ≥ u`,
  /// so a vector kernel drops every column with `u > exp(logit − best)`. The search starts from the
  /// most probable column; few others are left to be computed in full.
  ///
  /// - Parameters:
  ///   - row: processed logits: [count]; `−infinity` where removed.
  ///   - count: columns, at least 1.
  ///   - noise: the noise of the position that is chosen.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  package static func gumbelIndex(
    _ row: UnsafePointer<Float>, count: Int, noise: KeyedNoise.Stream, map: VocabularyMap? = nil
  ) -> Int {
    guard let map else { return gumbelIndex(row, count: count, noise: noise, tokens: nil) }
    precondition(map.tokens.count == count, "the map has one token for every column")
    return map.tokens.withUnsafeBufferPointer {
      gumbelIndex(row, count: count, noise: noise, tokens: $0.baseAddress)
    }
  }

  private static func gumbelIndex(
    _ row: UnsafePointer<Float>, count: Int, noise: KeyedNoise.Stream, tokens: UnsafePointer<Token>?
  ) -> Int {
    var best = index(row, count: count)
    let top = row[best]
    guard top.isFinite else { return best }
    var value = Double(top) + noise.gumbel(tokens?[best] ?? Token(best))
    // A buffer of one kilobyte stands on the stack, a larger one on the heap.
    let piece = 256
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: piece) { found in
      guard let winners = found.baseAddress else { return }
      for start in stride(from: 0, to: count, by: piece) {
        // The margin is a hundred times what the kernel's rounding can amount to.
        let need = Float(exp(value - Double(top))) * 0.9999
        let length = Kernels.race(
          row + start, tokens: tokens.map { $0 + start }, first: start,
          count: min(piece, count - start), key: noise.key, top: top, need: need, into: winners)
        for slot in 0..<length {
          let column = start + Int(winners[slot])
          let candidate = Double(row[column]) + noise.gumbel(tokens?[column] ?? Token(column))
          if candidate > value || (candidate == value && column < best) {
            value = candidate
            best = column
          }
        }
      }
    }
    return best
  }

  /// The columns that come behind the winner of a row, the best first.
  ///
  /// - Parameters:
  ///   - row: processed logits: [count].
  ///   - winner: the column that was chosen.
  ///   - noise: the noise of the position, if it was chosen under noise.
  ///   - limit: how many to find.
  ///   - depth: how far behind the winner's value they may be.
  ///   - found: is replaced by them and their distances, in the memory that it has.
  package static func runnersUp(
    _ row: UnsafePointer<Float>, count: Int, winner: Int, noise: KeyedNoise.Stream?,
    map: VocabularyMap?, limit: Int, depth: Double,
    into found: inout [(column: Int, distance: Double)]
  ) {
    found.removeAll(keepingCapacity: true)
    func value(_ column: Int) -> Double {
      Double(row[column]) + (noise?.gumbel(map?.tokens[column] ?? Token(column)) ?? 0)
    }
    let best = value(winner)
    let top = noise == nil ? row[winner] : row[index(row, count: count)]
    guard best.isFinite, top.isFinite else { return }
    let piece = 256
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: piece) { buffer in
      guard let columns = buffer.baseAddress else { return }
      for start in stride(from: 0, to: count, by: piece) {
        let reach = found.count == limit ? min(depth, found[limit - 1].distance) : depth
        let length = enter(
          row, start..<min(start + piece, count), atLeast: best - reach, top: top, noise: noise,
          map: map, into: columns)
        for slot in 0..<length {
          let column = start + Int(columns[slot])
          let distance = best - value(column)
          guard column != winner, distance <= depth else { continue }
          let place = found.firstIndex { $0.distance > distance } ?? found.count
          guard place < limit else { continue }
          if found.count == limit { found.removeLast() }
          found.insert((column, distance), at: place)
        }
      }
    }
  }

  /// The columns of a piece whose values may be at least `bound`, counted from its first.
  private static func enter(
    _ row: UnsafePointer<Float>, _ piece: Range<Int>, atLeast bound: Double, top: Float,
    noise: KeyedNoise.Stream?, map: VocabularyMap?, into columns: UnsafeMutablePointer<UInt32>
  ) -> Int {
    let part = row + piece.lowerBound
    guard let noise else {
      return Kernels.columns(
        part, count: piece.count, atLeast: Float(bound).nextDown, into: columns)
    }
    let need = Float(exp(bound - Double(top))) * 0.9999
    guard let map else {
      return Kernels.race(
        part, tokens: nil, first: piece.lowerBound, count: piece.count, key: noise.key, top: top,
        need: need, into: columns)
    }
    return map.tokens.withUnsafeBufferPointer {
      Kernels.race(
        part, tokens: $0.baseAddress.map { $0 + piece.lowerBound }, first: piece.lowerBound,
        count: piece.count, key: noise.key, top: top, need: need, into: columns)
    }
  }
}
