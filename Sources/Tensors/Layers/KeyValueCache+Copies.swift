/// Copies of positions, for sequences that begin alike.
extension KeyValueCache {
  /// Positions that are copied together, or a multiple of them: the keys of so many lie among one another.
  package static let block = 16

  /// Bytes of the keys and values of `positions`.
  package func bytes(_ positions: Int) -> Int { storage.bytes(positions) }

  /// Copies keys and values of positions, both ends whole blocks, of which the last may be valid in part.
  ///
  /// - Parameter memory: Room for `bytes(positions.count)`: of each layer the keys of each head, then its
  ///   values.
  package func copy(_ positions: Range<Int>, to memory: UnsafeMutableRawPointer) {
    precondition(
      positions.upperBound <= Self.roundedUp(count), "only valid positions are copied")
    var target = memory
    forEachPart(positions) { part, bytes in
      target.copyMemory(from: part, byteCount: bytes)
      target += bytes
    }
  }

  /// Adds positions at the end, which stands between whole blocks, as ``copy(_:to:)`` left them.
  ///
  /// The bits are those that a pass over the same text would write. There must be memory for them, and for the
  /// rest of their last block.
  ///
  /// - Parameters:
  ///   - positions: How many: the first of those that were copied.
  ///   - stored: How many were copied.
  package func append(_ positions: Int, from memory: UnsafeRawPointer, of stored: Int) {
    let copied = Self.roundedUp(positions)
    precondition(positions <= stored && count + copied <= room, "the cache is full")
    var source = memory
    forEachPart(count..<count + copied) { part, bytes in
      part.copyMemory(from: source, byteCount: bytes)
      source += bytes / copied * stored
    }
    advance(by: positions)
  }

  /// Where the keys, and then the values, of some positions lie, head by head.
  private func forEachPart(
    _ positions: Range<Int>, _ body: (_ part: UnsafeMutableRawPointer, _ bytes: Int) -> Void
  ) {
    precondition(
      positions.lowerBound % Self.block == 0 && positions.count % Self.block == 0,
      "positions are copied in whole blocks")
    for (layer, shape) in storage.shapes.enumerated() {
      let state = storage[layer]
      let width = state.dimension * format.byteCount
      for head in 0..<shape.keyValueHeads {
        let start = head * state.headBytes + positions.lowerBound * width
        body(state.keys + start, positions.count * width)
        body(state.values + start, positions.count * width)
      }
    }
  }
}
