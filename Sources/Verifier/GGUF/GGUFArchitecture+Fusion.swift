import Files
import Tensors

extension GGUFArchitecture {
  /// Tensors of a layer that are one.
  enum Fusion: Sendable {
    /// Queries, keys and values.
    case inputs
    /// Gate and up.
    case gated
  }

  /// A tensor that may hold another one among others.
  struct FusedTensor {
    let kind: Fusion
    let name: String
    /// The tensor that is there if it doesn't.
    let insteadOf: String
    /// Of all that it holds.
    let rows: Int
    /// The first row of the other.
    let first: Int
  }

  /// What holds a tensor of a layer where files have several in one.
  static func fused(
    _ role: LayerTensor, layer: Int, _ configuration: ModelConfiguration
  ) -> FusedTensor? {
    let queries = configuration.headCount * configuration.headDimension
    let keys = configuration.keyValueHeadCount * configuration.headDimension
    func inputs(_ end: String, _ first: Int) -> FusedTensor {
      FusedTensor(
        kind: .inputs, name: "blk.\(layer).attn_qkv.\(end)",
        insteadOf: "blk.\(layer).attn_q.\(end)",
        rows: queries + 2 * keys, first: first)
    }
    func gated(_ end: String, _ first: Int) -> FusedTensor? {
      guard configuration.family.feedForward == .gated else { return nil }
      return FusedTensor(
        kind: .gated, name: "blk.\(layer).ffn_up.\(end)", insteadOf: "blk.\(layer).ffn_gate.\(end)",
        rows: 2 * configuration.intermediateSize, first: first)
    }
    return switch role {
    case .query: inputs("weight", 0)
    case .queryBias: inputs("bias", 0)
    case .key: inputs("weight", queries)
    case .keyBias: inputs("bias", queries)
    case .value: inputs("weight", queries + keys)
    case .valueBias: inputs("bias", queries + keys)
    case .gate: gated("weight", 0)
    case .gateBias: gated("bias", 0)
    case .up: gated("weight", configuration.intermediateSize)
    case .upBias: gated("bias", configuration.intermediateSize)
    default: nil
    }
  }

  /// Whether a file, or one that is to be written, holds a tensor so.
  func isFused(_ fused: FusedTensor, in file: GGUFFile?) -> Bool {
    guard let file else { return fuses.contains(fused.kind) }
    return file.tensor(fused.name) != nil && file.tensor(fused.insteadOf) == nil
  }
}
