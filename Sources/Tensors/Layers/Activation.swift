/// A function of a gate's values.
package enum Activation: String, Sendable {
  /// `x / (1 + e⁻ˣ)`, also called swish.
  case silu

  /// The names that checkpoints have for it.
  package var names: [String] {
    switch self {
    case .silu: ["silu", "swish"]
    }
  }

  /// `gate = activation(gate) · up` over `count` values.
  func apply(gate: UnsafeMutablePointer<Float>, up: UnsafePointer<Float>, count: Int) {
    switch self {
    case .silu: Kernels.swiglu(gate: gate, up: up, into: gate, count: count)
    }
  }
}
