internal import CKernels

/// The keys and values of one sequence for every layer, rotated.
///
/// Entries past `count` are garbage that the next pass overwrites, so that rewinding costs nothing.
public final class KeyValueCache {
  /// How many positions are valid.
  public private(set) var count = 0
  /// How many positions there is room for.
  public let capacity: Int

  let storage: Storage

  /// How keys and values are held.
  public let format: KeyValueFormat

  /// The memory, without the count: what workers write to during a pass.
  final class Storage: @unchecked Sendable {
    // Unchecked: the memory is plain; the workers of a pass divide it among themselves.
    private let keys: UnsafeMutableRawPointer  // [layers][heads][capacity / 16][dimension][16]
    private let values: UnsafeMutableRawPointer  // [layers][heads][capacity][dimension]
    private let headBytes: Int
    private let headCount: Int
    private let dimension: Int
    private let format: KeyValueFormat
    let rotary: RotaryTable

    init(
      layers: Int, heads: Int, dimension: Int, capacity: Int, format: KeyValueFormat,
      rotary: RotaryTable
    ) {
      headBytes = capacity * dimension * format.byteCount
      headCount = heads
      self.dimension = dimension
      self.format = format
      self.rotary = rotary
      let count = layers * heads * headBytes
      keys = .allocate(byteCount: count, alignment: 64)
      keys.initializeMemory(as: UInt8.self, repeating: 0, count: count)
      values = .allocate(byteCount: count, alignment: 64)
      values.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    deinit {
      keys.deallocate()
      values.deallocate()
    }

    /// Writes the key and the value `[dimension]` of one head at a position.
    func store(
      key: UnsafePointer<Float>, value: UnsafePointer<Float>, layer: Int, head: Int, position: Int
    ) {
      let start = (layer * headCount + head) * headBytes
      switch format {
      case .f32:
        ck_store_key(
          (keys + start).assumingMemoryBound(to: Float.self), key, position, dimension)
        ((values + start).assumingMemoryBound(to: Float.self) + position * dimension)
          .update(from: value, count: dimension)
      case .bf16:
        ck_store_key_bf16(
          (keys + start).assumingMemoryBound(to: UInt16.self), key, position, dimension)
        ck_narrow_bf16(
          value,
          (values + start).assumingMemoryBound(to: UInt16.self) + position * dimension, dimension)
      }
    }

    /// Attention of rows over one key-value head: the first row sees the keys `visible`, each
    /// other `step` more than the one before it.
    func attend(_ rows: Queries, layer: Int, head: Int, over visible: Range<Int>, step: Int) {
      let start = (layer * headCount + head) * headBytes
      let next = (
        keysAndValues(layer: layer, head: rows.nextHead, over: visible),
        ck_range(start: rows.next.baseAddress, bytes: rows.next.count)
      )
      var attention = ck_attention(
        queries: rows.queries, query_stride: rows.stride, out: rows.out, out_stride: rows.stride,
        rows: rows.rows, heads: rows.heads, dimension: dimension, first: visible.lowerBound,
        end: visible.upperBound, step: step, scale: rows.scale, next: (next.0.0, next.0.1, next.1))
      switch format {
      case .f32:
        ck_attend(
          &attention, (keys + start).assumingMemoryBound(to: Float.self),
          (values + start).assumingMemoryBound(to: Float.self), dimension)
      case .bf16:
        ck_attend_bf16(
          &attention, (keys + start).assumingMemoryBound(to: UInt16.self),
          (values + start).assumingMemoryBound(to: UInt16.self), dimension)
      }
    }

    /// The first chunk of keys and of values that attention of a head reads.
    func keysAndValues(
      layer: Int, head: Int?, over visible: Range<Int>
    ) -> (ck_range, ck_range) {
      guard let head else { return (ck_range(), ck_range()) }
      let width = dimension * format.byteCount
      let chunk = Int(CK_CHUNK)
      let end = min(visible.lowerBound / chunk * chunk + chunk, visible.upperBound)
      let start = (layer * headCount + head) * headBytes + visible.lowerBound * width
      let bytes = (end - visible.lowerBound) * width
      return (
        ck_range(start: keys + start, bytes: bytes), ck_range(start: values + start, bytes: bytes)
      )
    }
  }

  /// The query heads of rows that look at one key-value head, and where their results go.
  struct Queries {
    var queries: UnsafePointer<Float>  // [rows][heads][dimension]
    var out: UnsafeMutablePointer<Float>  // [rows][heads][dimension]
    /// Between rows.
    var stride: Int
    var rows: Int
    var heads: Int
    /// Of the scores.
    var scale: Float
    /// The head of the same layer that the worker attends to afterwards, if rows see the same keys there.
    var nextHead: Int?
    /// Weights that the worker reads afterwards.
    var next = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// Makes an empty cache; the room is rounded up to whole blocks of sixteen positions.
  ///
  /// - Parameter rotary: Covers at least `capacity` positions, rounded up likewise.
  public init(
    layers: Int, heads: Int, dimension: Int, capacity: Int, format: KeyValueFormat = .f32,
    rotary: RotaryTable
  ) {
    let room = Self.roundedUp(capacity)
    precondition(rotary.capacity >= room, "the rotary table is shorter than the cache")
    self.capacity = room
    self.format = format
    storage = Storage(
      layers: layers, heads: heads, dimension: dimension, capacity: room, format: format,
      rotary: rotary)
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
