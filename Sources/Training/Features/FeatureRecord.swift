package import Files
import Foundation

/// What a target computed over one sequence, as a shard holds it.
///
/// One block of bytes, little-endian: the tokens, 32 bits each; the layers' outputs, f32 or bf16
/// [positions][layers][hidden], filled up to whole 32 bits; the most probable tokens after each position, 32 bits each
/// [positions][k]; and their natural log-probabilities at temperature 1, f32 [positions][k].
package struct FeatureRecord: Sendable {
  package let settings: FeatureSettings
  /// The tokens of the sequence, one a position.
  package let positions: Int
  package private(set) var bytes: [UInt8]

  /// Room for the features of some tokens.
  init(_ tokens: [Token], settings: FeatureSettings) {
    self.settings = settings
    positions = tokens.count
    bytes = [UInt8](repeating: 0, count: Self.byteCount(tokens.count, settings))
    bytes.withUnsafeMutableBytes { bytes in tokens.withUnsafeBytes { bytes.copyMemory(from: $0) } }
  }

  init(bytes: [UInt8], positions: Int, settings: FeatureSettings) {
    precondition(bytes.count == Self.byteCount(positions, settings), "bytes of the positions")
    self.bytes = bytes
    self.positions = positions
    self.settings = settings
  }

  static func byteCount(_ positions: Int, _ settings: FeatureSettings) -> Int {
    4 * positions * (1 + 2 * settings.logProbabilities) + tapBytes(positions, settings)
  }

  private static func tapBytes(_ positions: Int, _ settings: FeatureSettings) -> Int {
    (positions * settings.layers.count * settings.hidden * settings.valueBytes + 3) & ~3
  }

  package var tokens: [Token] {
    bytes.withUnsafeBytes { bytes in
      (0..<positions).map { bytes.load(fromByteOffset: 4 * $0, as: Token.self) }
    }
  }

  /// Where the layers' outputs, the most probable tokens and their log-probabilities start.
  private var tapOffset: Int { 4 * positions }
  private var tokenOffset: Int { tapOffset + Self.tapBytes(positions, settings) }
  private var logOffset: Int { tokenOffset + 4 * positions * settings.logProbabilities }

  private var type: ElementType { settings.rounded == .bf16 ? .bf16 : .f32 }
  private var width: Int { settings.layers.count * settings.hidden }

  /// Reads the layers' outputs of some positions: [range][layers][hidden].
  func copyTaps(_ range: Range<Int>, into values: UnsafeMutablePointer<Float>) {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      FloatConversion.widen(
        base + tapOffset + range.lowerBound * width * type.byteCount, as: type, into: values,
        count: range.count * width)
    }
  }

  /// Takes the layers' outputs of some positions: [range][layers][hidden].
  mutating func setTaps(_ range: Range<Int>, to values: UnsafePointer<Float>) {
    let (type, offset) = (type, tapOffset + range.lowerBound * width * type.byteCount)
    let count = range.count * width
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      FloatConversion.narrow(values, to: type, into: base + offset, count: count)
    }
  }

  /// Fills in the most probable tokens from a position on.
  mutating func setMostProbable(
    from position: Int,
    _ body: (
      _ tokens: UnsafeMutablePointer<Token>, _ logProbabilities: UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let start = 4 * position * settings.logProbabilities
    let (tokens, logs) = (tokenOffset + start, logOffset + start)
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      body(
        (base + tokens).assumingMemoryBound(to: Token.self),
        (base + logs).assumingMemoryBound(to: Float.self))
    }
  }
}
