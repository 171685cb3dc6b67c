import Files
import Foundation
import TestSupport
import Testing

/// Compressed weights, of which no more is decompressed than is asked for and plausible.
@Suite struct CompressedTensorsTests {
  private static let tail =
    "; the file is damaged or incomplete: download or convert it again"

  private func write(_ bytes: [UInt8], in folder: TemporaryFolder) throws -> URL {
    try folder.write(
      bytes.withUnsafeBytes { try Zstd.compress($0) }, to: "model.safetensors.zst")
  }

  /// A file that says it holds `size` bytes of data and holds `actual`.
  private func file(_ size: Int, actual: Int, in folder: TemporaryFolder) throws -> URL {
    let header = "{\(SafetensorsBytes.tensor("a", "U8", "[\(size)]", "[0,\(size)]"))}"
    return try write(SafetensorsBytes.make(header, dataBytes: actual), in: folder)
  }

  @Test func dataIsReadWhenItIsAskedFor() throws {
    let folder = try TemporaryFolder()
    let url = try file(1 << 20, actual: 1 << 20, in: folder)
    let checkpoint = try Checkpoint(file: url)
    #expect(checkpoint.byteCount(of: "a") == 1 << 20)
    #expect(try checkpoint.withBytes(of: "a") { $0.count } == 1 << 20)
    #expect(try checkpoint.withBytes(of: "a") { $0.allSatisfy { $0 == 0 } })
  }

  @Test func aHeaderIsReadWithoutTheDataBehindIt() throws {
    let folder = try TemporaryFolder()
    var bytes = try Array(Data(contentsOf: file(1 << 22, actual: 1 << 22, in: folder)))
    bytes.removeLast(bytes.count / 2)
    let url = try folder.write(bytes, to: "half.safetensors.zst")
    let checkpoint = try Checkpoint(file: url)
    #expect(checkpoint.shape(of: "a") == [1 << 22])
    #expect(throws: SpeculateError.self) { try checkpoint.withBytes(of: "a") { _ in } }
  }

  @Test func sizesThatDifferFromTheHeaderAreErrors() throws {
    let folder = try TemporaryFolder()
    for (actual, found) in [(999, "999"), (1001, "more"), (3_000_000, "more")] {
      let url = try file(1000, actual: actual, in: folder)
      let checkpoint = try Checkpoint(file: url)
      #expect(
        throws: SpeculateError(
          "\(url.path): \(found) bytes of data follow the header, which describes 1000\(Self.tail)")
      ) { try checkpoint.withBytes(of: "a") { _ in } }
    }
  }

  @Test func whatNoFileOfItsSizeHoldsIsRefused() throws {
    let folder = try TemporaryFolder()
    let url = try file(12 << 30, actual: 0, in: folder)
    let size = try Data(contentsOf: url).count
    #expect(
      throws: SpeculateError(
        "\(url.path): \(size) compressed bytes can't hold 12884901888 bytes of data\(Self.tail)")
    ) { try Checkpoint(file: url) }
  }

  /// 90 MB of blanks, in 3 kB.
  @Test func aHeaderOfBlanksIsRefused() throws {
    let folder = try TemporaryFolder()
    let blanks = String(repeating: " ", count: 90_000_000)
    let url = try write(SafetensorsBytes.make("{\(blanks)}"), in: folder)
    let size = try Data(contentsOf: url).count
    #expect(size < 20_000)
    #expect(
      throws: SpeculateError(
        "\(url.path): \(size) compressed bytes can't hold a header of 90000002 bytes\(Self.tail)")
    ) { try Checkpoint(file: url) }
  }

  @Test(arguments: [0, 3, 7])
  func filesWithoutAHeaderAreRefused(count: Int) throws {
    let folder = try TemporaryFolder()
    let url = try write([UInt8](repeating: 0, count: count), in: folder)
    let text = count == 0 ? "the file is empty" : "\(count) bytes are no safetensors file"
    #expect(throws: SpeculateError("\(url.path): \(text)\(Self.tail)")) {
      try Checkpoint(file: url)
    }
  }
}
