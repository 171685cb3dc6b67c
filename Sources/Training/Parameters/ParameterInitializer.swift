import Foundation

/// Draws a model's first parameters from a seed.
enum ParameterInitializer {
  /// Fills `parameters` [layout.count]. Each tensor has its own stream, keyed by its name, so that
  /// adding one leaves the others as they were.
  static func fill(
    _ parameters: UnsafeMutablePointer<Float>, layout: ParameterLayout, seed: UInt64
  ) {
    for entry in layout.entries {
      let values = parameters + entry.offset
      switch entry.initialization {
      case .ones: values.update(repeating: 1, count: entry.count)
      case .zeros: values.update(repeating: 0, count: entry.count)
      case .normal(let deviation):
        var random = KeyedRandom(seed: seed, key: entry.name)
        fillNormal(values, count: entry.count, deviation: deviation, random: &random)
      }
    }
  }

  /// Normal values by the Box–Muller transform, two from each pair of uniform ones.
  private static func fillNormal(
    _ values: UnsafeMutablePointer<Float>, count: Int, deviation: Float, random: inout KeyedRandom
  ) {
    var index = 0
    while index < count {
      let radius = (-2 * log(1 - random.uniform())).squareRoot()
      let angle = 2 * Double.pi * random.uniform()
      values[index] = Float(radius * cos(angle)) * deviation
      if index + 1 < count { values[index + 1] = Float(radius * sin(angle)) * deviation }
      index += 2
    }
  }
}
