import Files
import Foundation
import Tensors

/// Features kept from one visit of a sequence to the next, as many as fit.
final class FeatureCache {
  private let features: TargetFeatures
  private let stored: [FeatureStore]
  private let type: ElementType
  private var room: Int  // bytes left
  private var kept: [Int: Kept] = [:]

  /// The features of a sequence as they are kept.
  private struct Kept {
    var taps: [UInt8]
    var states: [UInt8]?
  }

  /// - Parameters:
  ///   - stored: Where features may lie already; those of no use are passed over (``objection(to:_:precision:)``).
  ///   - bytes: The most that is kept.
  ///   - precision: What the products round their factors to that features go into, and into nothing else.
  ///     What is rounded to bf16 there may be so here: half as many bytes, and the same products to the
  ///     bit.
  init(
    _ features: TargetFeatures, stored: [FeatureStore] = [], bytes: Int,
    precision: ProductPrecision
  ) {
    self.features = features
    type = precision == .bf16 ? .bf16 : .f32
    room = bytes
    self.stored = stored.filter {
      Self.objection(to: $0, features, precision: precision) == nil
    }
  }

  /// Why the target has to compute what a folder holds; nil if it needn't.
  static func objection(
    to store: FeatureStore, _ features: TargetFeatures, precision: ProductPrecision
  ) -> String? {
    if features.slots(in: store.settings) == nil {
      return "\(store.folder.path) holds layers \(store.settings.layers), not all of "
        + "\(features.layers): the target computes them"
    }
    guard store.settings.precision == .bf16 else { return nil }
    let loss =
      if precision != .bf16 { "products of f32 values" } else if features.states {
        "the target's distributions"
      } else { String?.none }
    return loss.map {
      "\(store.folder.path) holds layers rounded to bf16, too little for \($0): the target computes "
        + "them"
    }
  }

  /// The features of sequence `number`.
  func features(
    of number: Int, tokens: [Token], shouldStop: () -> Bool
  ) throws -> SequenceFeatures {
    if let known = kept[number] {
      return SequenceFeatures(taps: widened(known.taps), states: known.states.map(widened))
    }
    let values = try read(tokens) ?? features.compute(tokens, shouldStop: shouldStop)
    let bytes = (values.taps.count + (values.states?.count ?? 0)) * type.byteCount
    if bytes <= room {
      room -= bytes
      kept[number] = Kept(taps: narrowed(values.taps), states: values.states.map(narrowed))
    }
    return values
  }

  /// Whether a sequence's features are read instead of computed.
  func isStored(_ tokens: [Token]) -> Bool { stored.contains { $0.contains(tokens) } }

  private func read(_ tokens: [Token]) throws -> SequenceFeatures? {
    for store in stored {
      if let record = try store.record(of: tokens) { return features.take(record) }
    }
    return nil
  }

  private func narrowed(_ values: FloatBuffer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: values.count * type.byteCount) { bytes, count in
      if let base = bytes.baseAddress {
        FloatConversion.narrow(values.base, to: type, into: base, count: values.count)
      }
      count = values.count * type.byteCount
    }
  }

  private func widened(_ bytes: [UInt8]) -> FloatBuffer {
    let values = FloatBuffer(count: bytes.count / type.byteCount)
    bytes.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress {
        FloatConversion.widen(base, as: type, into: values.base, count: values.count)
      }
    }
    return values
  }
}
