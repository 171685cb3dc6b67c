package import Files
import Foundation

/// What the layers keep of one sequence: its keys, rotated, and its values.
///
/// Entries past `count` are garbage that the next pass overwrites, so that rewinding costs nothing. Memory is
/// taken as the sequence grows.
package final class KeyValueCache {
  /// How many positions are valid.
  package private(set) var count = 0
  /// How many positions it may hold.
  package private(set) var capacity: Int
  /// How many positions it has memory for.
  package private(set) var room = 0

  let storage: Storage
  private let rotary: RotaryTables
  /// The most that `capacity` is after ``reset(reaching:)``.
  private let wholeCapacity: Int
  /// Whether keys are rotated by the angles of long texts.
  package private(set) var isLong: Bool

  package let format: KeyValueFormat

  /// What memory grows by at least, so that it seldom does.
  private static let leastStep = 512

  /// The memory, without the count: what workers write to during a pass.
  final class Storage: @unchecked Sendable {
    // Unchecked: the memory is plain; the workers of a pass divide it among themselves.
    let shapes: [AttentionShape]
    private let layers: UnsafeMutableBufferPointer<KeyValueState>
    private let format: KeyValueFormat
    private var rotary: [RotaryTable] = []  // kept for the layers' angles, of all that they look at
    /// The layers that have memory.
    private var made = 0

    init(layers: [DecoderLayer], format: KeyValueFormat) {
      shapes = layers.map(\.mixer.shape)
      self.format = format
      self.layers = .allocate(capacity: layers.count)
    }

    deinit {
      release()
      layers.deallocate()
    }

    func release() {
      for layer in layers[..<made] { layer.free() }
      made = 0
    }

    /// What an attention layer keeps.
    subscript(layer: Int) -> KeyValueState { layers[layer] }

    /// Takes other angles, for keys that are to come.
    func turn(to rotary: [RotaryTable]) {
      for index in 0..<made { layers[index].angles = rotary[index].angles }
      self.rotary = rotary
    }

    /// Bytes of keys and values of `room` positions.
    func bytes(_ room: Int) -> Int {
      shapes.reduce(0) { $0 + 2 * $1.keyValueWidth * room * format.byteCount }
    }

    /// Moves what is there to memory for `room` positions, layer by layer. If there is none for a layer,
    /// those before it have more than they need.
    ///
    /// - Parameter kept: Positions that are valid, in whole blocks.
    func grow(to room: Int, keeping kept: Int, rotary: [RotaryTable]) throws(SpeculateError) {
      self.rotary += rotary
      for (index, shape) in shapes.enumerated() {
        let headBytes = shape.headDimension * room * format.byteCount
        let bytes = headBytes * shape.keyValueHeads
        let keys = try Memory.take(bytes, for: "keys")
        let values: UnsafeMutableRawPointer
        do {
          values = try Memory.take(bytes, for: "values")
        } catch {
          free(keys)
          throw error
        }
        keys.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        values.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        let keptBytes = shape.headDimension * kept * format.byteCount
        if index < made {
          let old = layers[index]
          for head in 0..<shape.keyValueHeads {
            (keys + head * headBytes).copyMemory(
              from: old.keys + head * old.headBytes, byteCount: keptBytes)
            (values + head * headBytes).copyMemory(
              from: old.values + head * old.headBytes, byteCount: keptBytes)
          }
          old.free()
        }
        layers.initializeElement(
          at: index,
          to: KeyValueState(
            keys: keys, values: values, headBytes: headBytes, dimension: shape.headDimension,
            format: format, angles: rotary[index].angles))
        made = max(made, index + 1)
      }
      self.rotary = rotary
    }
  }

  /// Makes an empty cache, for a sequence that reaches its capacity; positions are rounded up to whole
  /// blocks of sixteen.
  ///
  /// - Parameters:
  ///   - layers: Those of the model, in their order.
  ///   - room: Positions to take memory for at once; nil for all. ``reserve(_:)`` takes more.
  ///   - rotary: Of these layers.
  /// - Throws: `SpeculateError` when there is no memory for it.
  package init(
    layers: [DecoderLayer], capacity: Int, room: Int? = nil, format: KeyValueFormat = .f32,
    rotary: RotaryTables
  ) throws(SpeculateError) {
    wholeCapacity = Self.roundedUp(capacity)
    self.capacity = wholeCapacity
    self.format = format
    self.rotary = rotary
    isLong = rotary.areLong(reaching: capacity)
    storage = Storage(layers: layers, format: format)
    try grow(to: min(Self.roundedUp(room ?? capacity), self.capacity))
  }

  /// Sees that there is memory for `positions`, at most `capacity`; called before the pass that needs it.
  ///
  /// What is there is copied, so that memory grows by half of itself if the system has it.
  ///
  /// - Throws: `SpeculateError` when there is no memory; what was there stays.
  package func reserve(_ positions: Int) throws(SpeculateError) {
    precondition(positions <= capacity, "the cache is full")
    guard positions > room else { return }
    let least = Self.roundedUp(positions)
    let usual = Self.roundedUp(room + max(room / 2, Self.leastStep))
    do {
      try grow(to: min(max(least, usual), capacity))
    } catch {
      guard least < usual else { throw error }
      try grow(to: least)
    }
  }

  /// The same, taking memory for no more positions than these, in whole blocks.
  package func reserve(exactly positions: Int) throws(SpeculateError) {
    precondition(positions <= capacity, "the cache is full")
    if positions > room { try grow(to: Self.roundedUp(positions)) }
  }

  private func grow(to room: Int) throws(SpeculateError) {
    do {
      try Memory.require(storage.bytes(room), for: "keys and values")
      try storage.grow(
        to: room, keeping: count > 0 ? Self.roundedUp(count) : 0,
        rotary: rotary.covering(room, isLong: isLong))
    } catch {
      throw SpeculateError(
        "there is no memory for \(storage.bytes(room)) bytes of keys and values of \(room) tokens: "
          + "generate fewer tokens, shorten the prompt, or decode fewer sequences at once")
    }
    self.room = room
  }

  /// `capacity` rounded up to whole blocks of sixteen positions.
  package static func roundedUp(_ capacity: Int) -> Int { (max(capacity, 1) + 15) / 16 * 16 }

  /// Counts `rows` more positions as valid, after a pass has written them.
  package func advance(by rows: Int) {
    precondition(count + rows <= room, "the cache is full")
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

  /// Forgets everything, for a sequence of the kind that the last one was.
  package func reset() { count = 0 }

  /// Forgets everything and gives its memory back; ``reserve(_:)`` takes some again.
  package func release() {
    (count, room) = (0, 0)
    storage.release()
  }

  /// Forgets everything, for a sequence that gets at most so many positions.
  ///
  /// LongRoPE rotates texts beyond its original context otherwise than others, and all positions of a text
  /// alike: whoever says how long a text may become says how it is rotated.
  ///
  /// - Throws: `SpeculateError` when there is no memory for other angles.
  package func reset(reaching positions: Int) throws(SpeculateError) {
    count = 0
    guard let limit = rotary.limit else { return }
    let isLong = rotary.areLong(reaching: positions)
    if isLong != self.isLong {
      storage.turn(to: try rotary.covering(room, isLong: isLong))
      self.isLong = isLong
    }
    capacity = isLong ? wholeCapacity : min(wholeCapacity, Self.roundedUp(limit))
  }
}
