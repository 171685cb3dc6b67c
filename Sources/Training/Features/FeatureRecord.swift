package import Files
import Foundation

/// What a target computed over one sequence, as a shard holds it.
///
/// One block of bytes, little-endian: the tokens, 32 bits each; the layers' outputs, f32
/// [positions][layers][hidden]; the most probable tokens after each position, 32 bits each
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
    positions * bytesPerPosition(settings)
  }

  /// The size of a token's features, itself included, before compression.
  static func bytesPerPosition(_ settings: FeatureSettings) -> Int {
    4 * (1 + settings.layers.count * settings.hidden + 2 * settings.logProbabilities)
  }

  package var tokens: [Token] {
    bytes.withUnsafeBytes { bytes in
      (0..<positions).map { bytes.load(fromByteOffset: 4 * $0, as: Token.self) }
    }
  }

  /// Where the layers' outputs, the most probable tokens and their log-probabilities start.
  private var tapOffset: Int { 4 * positions }
  private var tokenOffset: Int {
    tapOffset + 4 * positions * settings.layers.count * settings.hidden
  }
  private var logOffset: Int { tokenOffset + 4 * positions * settings.logProbabilities }

  /// The layers' outputs: [positions][layers][hidden].
  func withTaps<R>(_ body: (UnsafePointer<Float>) -> R) -> R {
    bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { preconditionFailure("a record has tokens") }
      return body((base + tapOffset).assumingMemoryBound(to: Float.self))
    }
  }

  /// All parts, to be filled.
  mutating func fill(
    _ body: (
      _ taps: UnsafeMutablePointer<Float>, _ tokens: UnsafeMutablePointer<Token>,
      _ logProbabilities: UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let (taps, tokens, logs) = (tapOffset, tokenOffset, logOffset)
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      body(
        (base + taps).assumingMemoryBound(to: Float.self),
        (base + tokens).assumingMemoryBound(to: Token.self),
        (base + logs).assumingMemoryBound(to: Float.self))
    }
  }
}
