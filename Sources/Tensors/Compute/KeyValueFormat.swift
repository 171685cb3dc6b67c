/// How the keys and values of a cache are held.
///
/// The cache is part of the target: outputs agree between ways of decoding with the same format, not
/// between formats.
public enum KeyValueFormat: String, Sendable, CaseIterable {
  /// 32-bit floats: what the passes compute.
  case f32
  /// Rounded to the upper halves of floats: half the memory to read in long contexts.
  case bf16

  /// Bytes of a value.
  public var byteCount: Int { self == .f32 ? 4 : 2 }
}
