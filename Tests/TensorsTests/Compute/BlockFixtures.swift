import CKernels
import Files
import Foundation
import TestSupport
import Testing

/// Blocks and their values as the package gguf computes them (Tests/Fixtures/gguf).
struct BlockFixtures {
  /// One type's.
  struct Blocks: Sendable {
    let blocks: [UInt8]
    /// What they stand for.
    let values: [Float]
    /// Values, and the blocks that the package makes of them; nil if it can't.
    let quantized: (source: [Float], blocks: [UInt8])?
  }

  /// The types by their names in files.
  static let types: [(name: String, type: ck_block_type)] = [
    ("Q4_0", CK_Q4_0), ("Q4_1", CK_Q4_1), ("Q5_0", CK_Q5_0), ("Q5_1", CK_Q5_1),
    ("Q8_0", CK_Q8_0), ("Q2_K", CK_Q2_K), ("Q3_K", CK_Q3_K), ("Q4_K", CK_Q4_K),
    ("Q5_K", CK_Q5_K), ("Q6_K", CK_Q6_K), ("MXFP4", CK_MXFP4),
  ]

  /// Those that have products of their own.
  static var products: [(name: String, type: ck_block_type)] {
    types.filter { $0.type != CK_Q4_0 && $0.type != CK_Q8_0 }
  }

  static func load(_ name: String) throws -> Blocks {
    let url = TestFiles.package.appending(path: "Tests/Fixtures/gguf/blocks.json")
    let data = try Data(contentsOf: url)
    let document = try data.withUnsafeBytes { try JSONValue(parsing: $0) }
    let entry = try #require(document[name])
    func bytes(_ key: String) -> [UInt8]? {
      entry[key]?.text.flatMap { Data(base64Encoded: $0) }.map(Array.init)
    }
    func floats(_ key: String) -> [Float]? {
      bytes(key)?.withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
    let source = floats("source"), quantized = bytes("quantized")
    return Blocks(
      blocks: try #require(bytes("blocks")), values: try #require(floats("values")),
      quantized: source.flatMap { source in quantized.map { (source, $0) } })
  }

  /// Random blocks, `[rows][columns]`, whose scales are numbers of a usual size.
  static func random(
    _ type: ck_block_type, rows: Int, columns: Int, seed: UInt64
  ) -> [UInt8] {
    var random = SplitMix(seed: seed)
    let size = ck_block_bytes(type)
    let count = rows * ck_block_row_bytes(type, columns) / size
    var bytes = (0..<count * size).map { _ in UInt8.random(in: 0...255, using: &random) }
    for block in 0..<count {
      let start = block * size
      func set(_ place: Int) {
        let half = Float16(Float.random(in: -0.02...0.02, using: &random)).bitPattern
        bytes[start + place] = UInt8(half & 255)
        bytes[start + place + 1] = UInt8(half >> 8)
      }
      switch type {
      case CK_MXFP4: bytes[start] = UInt8.random(in: 116...124, using: &random)
      case CK_Q2_K: [80, 82].forEach(set)
      case CK_Q3_K: set(108)
      case CK_Q6_K: set(208)
      case CK_Q4_1, CK_Q5_1, CK_Q4_K, CK_Q5_K: [0, 2].forEach(set)
      default: set(0)
      }
    }
    return bytes
  }
}
