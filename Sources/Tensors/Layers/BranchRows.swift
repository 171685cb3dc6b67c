/// The rotated keys and the values of every row of a tree pass, for every layer.
///
/// Rows of a tree share positions, and the cache has one place for each: it holds the row that was
/// attended last. The rows that are kept in the end are stored again from here.
package final class BranchRows: @unchecked Sendable {
  // Unchecked: the memory is plain; the workers of a pass divide it among themselves.
  private let keys: FloatBuffer  // [layers][maximumRows][keyValueWidth]
  private let values: FloatBuffer  // [layers][maximumRows][keyValueWidth]
  private let layers: UnsafeMutableBufferPointer<Place>

  /// Where a layer's rows lie.
  private struct Place {
    let start: Int
    let shape: AttentionShape
  }

  /// Makes room for passes of up to `maximumRows` rows through `layers`.
  package init(layers: [DecoderLayer], maximumRows: Int) {
    var count = 0
    self.layers = .allocate(capacity: layers.count)
    for (index, layer) in layers.enumerated() {
      self.layers.initializeElement(at: index, to: Place(start: count, shape: layer.mixer.shape))
      count += maximumRows * layer.mixer.shape.keyValueWidth
    }
    keys = FloatBuffer(count: count)
    values = FloatBuffer(count: count)
  }

  deinit { layers.deallocate() }

  /// Stores the keys and values of a row at `position` of a cache, for every layer.
  ///
  /// - Complexity: O(layers · keyValueWidth).
  package func store(row: Int, in cache: KeyValueCache, at position: Int) {
    precondition(position < cache.room, "the cache is full")
    for (layer, place) in layers.enumerated() {
      for head in 0..<place.shape.keyValueHeads {
        store(row: row, in: cache.storage, layer: layer, head: head, position: position)
      }
    }
  }

  /// A row's keys of a layer, `[keyValueHeads][headDimension]`.
  func key(layer: Int, row: Int) -> UnsafeMutablePointer<Float> {
    keys.base + layers[layer].start + row * layers[layer].shape.keyValueWidth
  }

  /// A row's values of a layer, `[keyValueHeads][headDimension]`.
  func value(layer: Int, row: Int) -> UnsafeMutablePointer<Float> {
    values.base + layers[layer].start + row * layers[layer].shape.keyValueWidth
  }

  /// Stores one head of a row in a cache.
  func store(row: Int, in cache: KeyValueCache.Storage, layer: Int, head: Int, position: Int) {
    let offset = head * layers[layer].shape.headDimension
    cache[layer].store(
      key: key(layer: layer, row: row) + offset, value: value(layer: layer, row: row) + offset,
      head: head, position: position)
  }
}
