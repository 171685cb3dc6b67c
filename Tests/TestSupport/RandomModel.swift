package import Tensors
package import Verifier

extension CausalModel {
  /// Makes a model of random weights, the same for the same seed, with all parts in one format.
  package convenience init(
    random configuration: ModelConfiguration, seed: UInt64, format: WeightFormat = .f32
  ) {
    self.init(
      random: configuration, seed: seed,
      formats: WeightFormats(layers: format, head: format, embedding: format))
  }
}
