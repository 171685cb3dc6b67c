/// The rotated keys and the values of every row of a tree pass, for every layer.
///
/// Rows of a tree share positions, and the cache has one place for each: it holds the row that was
/// attended last. The rows that are kept in the end are stored again from here.
public final class BranchRows: Sendable {
  private let keys: FloatBuffer  // [layers][maximumRows][keyValueWidth]
  private let values: FloatBuffer  // [layers][maximumRows][keyValueWidth]
  private let maximumRows: Int
  private let layers: Int
  private let shape: LayerShape

  /// Makes room for passes of up to `maximumRows` rows through `layers` layers.
  public init(shape: LayerShape, layers: Int, maximumRows: Int) {
    self.shape = shape
    self.layers = layers
    self.maximumRows = maximumRows
    keys = FloatBuffer(count: layers * maximumRows * shape.keyValueWidth)
    values = FloatBuffer(count: layers * maximumRows * shape.keyValueWidth)
  }

  /// Stores the keys and values of a row at `position` of a cache, for every layer.
  ///
  /// - Complexity: O(layers · keyValueWidth).
  public func store(row: Int, in cache: KeyValueCache, at position: Int) {
    precondition(position < cache.capacity, "the cache is full")
    for layer in 0..<layers {
      for head in 0..<shape.keyValueHeads {
        store(row: row, in: cache.storage, layer: layer, head: head, position: position)
      }
    }
  }

  /// A row's keys of a layer, `[keyValueHeads][headDimension]`.
  func key(layer: Int, row: Int) -> UnsafeMutablePointer<Float> {
    keys.base + (layer * maximumRows + row) * shape.keyValueWidth
  }

  /// A row's values of a layer, `[keyValueHeads][headDimension]`.
  func value(layer: Int, row: Int) -> UnsafeMutablePointer<Float> {
    values.base + (layer * maximumRows + row) * shape.keyValueWidth
  }

  /// Stores one head of a row in a cache.
  func store(
    row: Int, in cache: KeyValueCache.Storage, layer: Int, head: Int, position: Int
  ) {
    let offset = head * shape.headDimension
    cache.store(
      key: key(layer: layer, row: row) + offset, value: value(layer: layer, row: row) + offset,
      layer: layer, head: head, position: position)
  }
}
