/// The keys and values of one sequence for every layer, rotated, in f32.
///
/// Entries past `count` are garbage that the next pass overwrites, so that rewinding costs nothing.
public final class KeyValueCache {
  /// How many positions are valid.
  public private(set) var count = 0
  /// How many positions there is room for.
  public let capacity: Int

  let storage: Storage

  /// The memory, without the count: what workers write to during a pass.
  final class Storage: Sendable {
    private let keys: FloatBuffer  // [layers][keyValueHeads][capacity / 16][dimension][16]
    private let values: FloatBuffer  // [layers][keyValueHeads][capacity][dimension]
    private let headSize: Int
    private let headCount: Int
    let rotary: RotaryTable

    init(layers: Int, heads: Int, dimension: Int, capacity: Int, rotary: RotaryTable) {
      headSize = capacity * dimension
      headCount = heads
      keys = FloatBuffer(count: layers * heads * headSize)
      values = FloatBuffer(count: layers * heads * headSize)
      self.rotary = rotary
    }

    func keys(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
      keys.base + (layer * headCount + head) * headSize
    }

    func values(layer: Int, head: Int) -> UnsafeMutablePointer<Float> {
      values.base + (layer * headCount + head) * headSize
    }
  }

  /// Makes an empty cache; the room is rounded up to whole blocks of sixteen positions.
  ///
  /// - Parameter rotary: Covers at least `capacity` positions, rounded up likewise.
  public init(layers: Int, heads: Int, dimension: Int, capacity: Int, rotary: RotaryTable) {
    let room = Self.roundedUp(capacity)
    precondition(rotary.capacity >= room, "the rotary table is shorter than the cache")
    self.capacity = room
    storage = Storage(
      layers: layers, heads: heads, dimension: dimension, capacity: room, rotary: rotary)
  }

  /// `capacity` rounded up to whole blocks of sixteen positions.
  public static func roundedUp(_ capacity: Int) -> Int { (max(capacity, 1) + 15) / 16 * 16 }

  /// Counts `rows` more positions as valid, after a pass has written them.
  public func advance(by rows: Int) {
    precondition(count + rows <= capacity, "the cache is full")
    count += rows
  }

  /// Forgets the positions from `position` on.
  ///
  /// - Complexity: O(1).
  public func rewind(to position: Int) {
    precondition(position >= 0 && position <= count, "can't rewind forward")
    count = position
  }

  /// Forgets everything.
  public func reset() { count = 0 }
}
