package import Tensors

/// Random weights, of which some values are replaced.
package struct DamagedSource: WeightSource {
  private let source: RandomSource
  private let name: String
  private let places: Range<Int>
  private let value: Float

  /// - Parameters:
  ///   - name: the tensor.
  ///   - places: of its values.
  package init(seed: UInt64, _ name: String, _ places: Range<Int>, value: Float = .nan) {
    source = RandomSource(seed: seed)
    self.name = name
    self.places = places
    self.value = value
  }

  package func values(_ tensor: NamedShape) -> FloatBuffer {
    let buffer = source.values(tensor)
    if tensor.name == name { for place in places { buffer.base[place] = value } }
    return buffer
  }
}
