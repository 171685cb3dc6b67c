internal import CKernels

/// A function of a feed-forward part's values.
package enum Activation: String, Sendable {
  /// `x / (1 + e⁻ˣ)`, also called swish.
  case silu
  /// `x Φ(x)`, with the distribution function Φ of the normal distribution.
  case gelu
  /// The same with Φ by tanh: `x / (1 + exp(−√(8/π) (x + 0.044715 x³)))`.
  case geluTanh = "gelu_pytorch_tanh"
  /// `max(x, 0)`.
  case relu
  /// `max(x, 0)²`.
  case reluSquared = "relu2"

  /// The names that checkpoints have for it.
  package var names: [String] {
    switch self {
    case .silu: ["silu", "swish"]
    case .gelu: ["gelu", "gelu_python"]
    case .geluTanh:
      ["gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_python_tanh"]
    case .relu: ["relu"]
    case .reluSquared: ["relu2"]
    }
  }

  /// `gate = activation(gate) · up` over `count` values; without `up`, `gate = activation(gate)`.
  func apply(
    gate: UnsafeMutablePointer<Float>, up: UnsafePointer<Float>? = nil, count: Int
  ) {
    ck_activate(kernel, gate, up, gate, count)
  }

  private var kernel: ck_activation {
    switch self {
    case .silu: CK_SILU
    case .gelu: CK_GELU
    case .geluTanh: CK_GELU_TANH
    case .relu: CK_RELU
    case .reluSquared: CK_RELU_SQUARED
    }
  }
}
