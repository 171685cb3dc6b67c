internal import CKernels
import Foundation

/// What an attention layer keeps of a sequence: the rotated key and the value of every position.
///
/// Every position has a place of its own, so that the state of any earlier position is still there: going
/// back to it costs nothing. Values without reference counts, because workers copy them.
struct KeyValueState {
  let keys: UnsafeMutableRawPointer  // [heads][capacity / 16][dimension][16]
  let values: UnsafeMutableRawPointer  // [heads][capacity][dimension]
  /// Of keys, and of values.
  let headBytes: Int
  let dimension: Int
  let format: KeyValueFormat
  var angles: RotaryTable.Angles

  func free() {
    Foundation.free(keys)
    Foundation.free(values)
  }

  /// Writes the key and the value `[dimension]` of one head at a position.
  func store(key: UnsafePointer<Float>, value: UnsafePointer<Float>, head: Int, position: Int) {
    let start = head * headBytes
    switch format {
    case .f32:
      ck_store_key((keys + start).assumingMemoryBound(to: Float.self), key, position, dimension)
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
  func attend(_ rows: AttentionQueries, head: Int, over visible: Range<Int>, step: Int) {
    let start = head * headBytes
    let next = (
      keysAndValues(head: rows.nextHead, over: visible),
      ck_range(start: rows.next.baseAddress, bytes: rows.next.count)
    )
    var attention = ck_attention(
      queries: rows.queries, query_stride: rows.stride, out: rows.out, out_stride: rows.stride,
      rows: rows.rows, heads: rows.heads, dimension: dimension, first: visible.lowerBound,
      end: visible.upperBound, step: step, scale: rows.scale, cap: rows.cap,
      sinks: rows.sinks, next: (next.0.0, next.0.1, next.1))
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
  func keysAndValues(head: Int?, over visible: Range<Int>) -> (ck_range, ck_range) {
    guard let head else { return (ck_range(), ck_range()) }
    let width = dimension * format.byteCount
    let chunk = Int(CK_CHUNK)
    let end = min(visible.lowerBound / chunk * chunk + chunk, visible.upperBound)
    let start = head * headBytes + visible.lowerBound * width
    let bytes = (end - visible.lowerBound) * width
    return (
      ck_range(start: keys + start, bytes: bytes), ck_range(start: values + start, bytes: bytes)
    )
  }
}

/// The query heads of rows that look at one key-value head, and where their results go.
struct AttentionQueries {
  var queries: UnsafePointer<Float>  // [rows][heads][dimension]
  var out: UnsafeMutablePointer<Float>  // [rows][heads][dimension]
  /// Between rows.
  var stride: Int
  var rows: Int
  var heads: Int
  /// Of the scores.
  var scale: Float
  /// The bound that scores approach; 0 for none.
  var cap: Float
  /// A score more in the softmax of each head, for no value: `[heads]`; nil for none.
  var sinks: UnsafePointer<Float>?
  /// The head of the same layer that the worker attends to afterwards, if rows see the same keys there.
  var nextHead: Int?
  /// Weights that the worker reads afterwards.
  var next = UnsafeRawBufferPointer(start: nil, count: 0)
}
