import CKernels
import Files
import Foundation

/// What the factors of training's matrix products are rounded to. Sums, parameters, gradients and the
/// optimizer are f32 either way.
public enum ProductPrecision: String, Sendable, Codable, CaseIterable {
  /// Nothing is rounded.
  case f32
  /// 8 bits of mantissa, to nearest even. Without AVX-512 BF16 the rounded values are multiplied as
  /// f32 ones, which takes longer than f32 alone.
  case bf16

  /// bf16 where the processor multiplies pairs of such values, which was measured to be faster; f32
  /// elsewhere.
  public static var fastest: ProductPrecision { ct_has_bf16_products() != 0 ? .bf16 : .f32 }

  /// The precision of a run: that of its checkpoint, or for a new run what is wanted, or the fastest.
  ///
  /// - Parameters:
  ///   - wanted: What was asked for; nil for no wish.
  ///   - checkpoint: Where the run goes on from and the precision that it knows, nil in a checkpoint of
  ///     an earlier version, which had f32 alone; nil for a new run.
  /// - Throws: `SpeculateError` when the checkpoint has another one than is wanted.
  static func ofRun(
    _ wanted: ProductPrecision?, checkpoint: (url: URL, precision: ProductPrecision?)?
  ) throws -> ProductPrecision {
    guard let checkpoint else { return wanted ?? fastest }
    let stored = checkpoint.precision ?? .f32
    guard wanted ?? stored == stored else {
      throw SpeculateError(
        "\(checkpoint.url.path) was made with --precision \(stored.rawValue): give it again, leave "
          + "it out, or give another --output")
    }
    return stored
  }
}
