/// The largest few values of a long row.
package enum TopWeights {
  private static let piece = 1024

  /// The columns of the `limit` largest values, falling; of equals the lower column comes first.
  ///
  /// A vector kernel skips what is below the smallest kept so far, so nearly all of the row.
  ///
  /// - Parameters:
  ///   - row: values: [count].
  ///   - limit: at least 1.
  package static func columns(_ row: UnsafePointer<Float>, count: Int, limit: Int) -> [Int] {
    var best: [Int] = []
    find(row, count: count, limit: limit, into: &best)
    return best
  }

  /// The same columns, in the memory that `best` has.
  package static func find(
    _ row: UnsafePointer<Float>, count: Int, limit: Int, into best: inout [Int]
  ) {
    precondition(limit >= 1)
    best.removeAll(keepingCapacity: true)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: piece) { found in
      guard let found = found.baseAddress else { return }
      for start in stride(from: 0, to: count, by: piece) {
        let bound = best.count == limit ? row[best[limit - 1]] : -.infinity
        let length = Kernels.columns(
          row + start, count: min(piece, count - start), atLeast: bound, into: found)
        for slot in 0..<length {
          let column = start + Int(found[slot])
          if best.count == limit {
            guard row[column] > row[best[limit - 1]] else { continue }
            best.removeLast()
          }
          let place = best.firstIndex { row[$0] < row[column] } ?? best.count
          best.insert(column, at: place)
        }
      }
    }
  }
}
