import Glibc

/// What the layers keep of one sequence: its keys, rotated, and its values.
///
/// Entries past `count` are garbage that the next pass overwrites, so that rewinding costs nothing.
package final class KeyValueCache {
  /// How many positions are valid.
  package private(set) var count = 0
  /// How many positions there is room for.
  package let capacity: Int

  let storage: Storage

  package let format: KeyValueFormat

  /// The memory, without the count: what workers write to during a pass.
  final class Storage: @unchecked Sendable {
    // Unchecked: the memory is plain; the workers of a pass divide it among themselves.
    private let layers: UnsafeMutableBufferPointer<KeyValueState>
    private let memory: [UnsafeMutableRawPointer]
    private let rotary: [RotaryTable]  // kept for the layers' angles

    init(layers: [DecoderLayer], capacity: Int, format: KeyValueFormat, rotary: [RotaryTable]) {
      self.rotary = rotary
      let shapes = layers.map(\.mixer.shape)
      let width = shapes.reduce(0) { $0 + $1.keyValueWidth }
      let size = Memory.size(capacity, of: width * format.byteCount)
      memory = (0..<2).map { _ in Memory.zeros(size) }
      let sizes = shapes.map { $0.keyValueWidth * capacity * format.byteCount }
      self.layers = .allocate(capacity: layers.count)
      var start = 0
      for (index, shape) in shapes.enumerated() {
        self.layers.initializeElement(
          at: index,
          to: KeyValueState(
            keys: memory[0] + start, values: memory[1] + start,
            headBytes: sizes[index] / shape.keyValueHeads, dimension: shape.headDimension,
            format: format, angles: rotary[index].angles))
        start += sizes[index]
      }
    }

    deinit {
      layers.deallocate()
      for memory in memory { free(memory) }
    }

    /// What an attention layer keeps.
    subscript(layer: Int) -> KeyValueState { layers[layer] }
  }

  /// Makes an empty cache; the room is rounded up to whole blocks of sixteen positions.
  ///
  /// - Parameters:
  ///   - layers: Those of the model, in their order.
  ///   - rotary: One a layer (`RotaryTable.tables`); each covers at least `capacity` positions, rounded up
  ///     likewise.
  package init(
    layers: [DecoderLayer], capacity: Int, format: KeyValueFormat = .f32, rotary: [RotaryTable]
  ) {
    let room = Self.roundedUp(capacity)
    precondition(
      rotary.count == layers.count && rotary.allSatisfy { $0.capacity >= room },
      "the rotary tables are shorter than the cache")
    self.capacity = room
    self.format = format
    storage = Storage(layers: layers, capacity: room, format: format, rotary: rotary)
  }

  /// `capacity` rounded up to whole blocks of sixteen positions.
  package static func roundedUp(_ capacity: Int) -> Int { (max(capacity, 1) + 15) / 16 * 16 }

  /// Counts `rows` more positions as valid, after a pass has written them.
  package func advance(by rows: Int) {
    precondition(count + rows <= capacity, "the cache is full")
    count += rows
  }

  /// A point of the sequence to come back to.
  package struct Checkpoint: Sendable { fileprivate let count: Int }

  /// The point that the sequence has reached: the number of positions, as every layer keeps all of
  /// them apart.
  package func checkpoint() -> Checkpoint { Checkpoint(count: count) }

  /// Forgets what was read since a checkpoint.
  package func rewind(to checkpoint: Checkpoint) { rewind(to: checkpoint.count) }

  /// Forgets the positions from `position` on.
  ///
  /// - Complexity: O(1).
  package func rewind(to position: Int) {
    precondition(position >= 0 && position <= count, "can't rewind forward")
    count = position
  }

  package func reset() { count = 0 }
}
