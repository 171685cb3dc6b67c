import Files
import Foundation
import TestSupport
import Testing

@Suite struct LineReaderTests {
  private func lines(_ reader: LineReader) throws -> [String] {
    var lines: [String] = []
    while let line = try reader.next() { lines.append(line) }
    #expect(try reader.next() == nil)
    #expect(reader.lineNumber == lines.count)
    return lines
  }

  private func write(_ bytes: [UInt8], to name: String, in folder: TemporaryFolder) throws -> URL {
    if name.hasSuffix(".zst") {
      return try folder.write(bytes.withUnsafeBytes { try Zstd.compress($0) }, to: name)
    }
    return try folder.write(bytes, to: name)
  }

  @Test(arguments: ["t.txt", "t.txt.zst"], [1, 2, 3, 7, 64, 1 << 18])
  func linesAreThoseOfTheText(name: String, bufferBytes: Int) throws {
    let folder = try TemporaryFolder()
    let cases: [(String, [String])] = [
      ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("\n\na", ["", "", "a"]),
      ("a\r\nb\rc\r\n", ["a", "b\rc"]), ("a\0b\r\n\0", ["a\0b", "\0"]),
      ("\u{FEFF}x\n\u{FEFF}y", ["x", "\u{FEFF}y"]),
      (
        "ä€😀\n" + String(repeating: "0123456789é", count: 50) + "\nz",
        ["ä€😀", String(repeating: "0123456789é", count: 50), "z"]
      ),
    ]
    for (text, expected) in cases {
      let url = try write(Array(text.utf8), to: name, in: folder)
      #expect(try lines(LineReader(url: url, bufferBytes: bufferBytes)) == expected, "\(text)")
    }
  }

  @Test func manyLinesThroughCompression() throws {
    let folder = try TemporaryFolder()
    let expected = (0..<50_000).map { "{\"text\": \"line \($0) \(String($0 &* 2_654_435_761))\"}" }
    let url = try write(
      Array(expected.joined(separator: "\n").utf8), to: "many.jsonl.zst", in: folder)
    #expect(try lines(LineReader(url: url)) == expected)
  }

  @Test func concatenatedFramesAreOneFile() throws {
    let folder = try TemporaryFolder()
    let frames = try ["first\nsec", "", "ond\nthird"].flatMap { text in
      try Array(text.utf8).withUnsafeBytes { try Zstd.compress($0) }
    }
    let url = try folder.write(frames, to: "frames.txt.zst")
    #expect(try lines(LineReader(url: url)) == ["first", "second", "third"])
  }

  @Test func aLongLineIsAcceptedUpToTheLimit() throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(Array("ok\n0123456789\n0123456789a\n".utf8), to: "long.txt")
    let reader = try LineReader(url: url, maximumLineBytes: 10, bufferBytes: 4)
    #expect(try reader.next() == "ok")
    #expect(try reader.next() == "0123456789")
    #expect(
      throws: SpeculateError("\(url.path): line 3 is longer than 10 bytes; break it up")
    ) { try reader.next() }
    #expect(try reader.next() == nil)
  }

  @Test(arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]])
  func invalidTextIsNamedByItsLine(bytes: [UInt8]) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(Array("fine\nä\n".utf8) + bytes + [0x0A, 0x61], to: "bad.txt")
    let reader = try LineReader(url: url)
    #expect(try reader.next() == "fine")
    #expect(try reader.next() == "ä")
    #expect(
      throws: SpeculateError("\(url.path): line 3 is not valid UTF-8; convert the file")
    ) { try reader.next() }
  }

  @Test func damagedCompressionIsAnErrorOfOneLine() throws {
    let folder = try TemporaryFolder()
    let text = (0..<20_000).map { "line \($0 &* 7_919 % 10_007)\n" }.joined()
    let frame = try Array(text.utf8).withUnsafeBytes { try Zstd.compress($0) }
    for cut in [1, 4, 5, 100, frame.count / 2, frame.count - 1] {
      let url = try folder.write(frame[..<cut], to: "cut.txt.zst")
      #expect(
        throws: SpeculateError(
          "\(url.path): the compressed data is cut short; download or make the file again")
      ) {
        let reader = try LineReader(url: url)
        while try reader.next() != nil {}
      }
    }
    let empty = try folder.write([], to: "empty.txt.zst")
    #expect(
      throws: SpeculateError(
        "\(empty.path): the file is empty, not zstd data; download or make it again")
    ) { try LineReader(url: empty).next() }
    let plain = try folder.write(Array("not compressed".utf8), to: "plain.txt.zst")
    #expect(
      throws: SpeculateError(
        "\(plain.path): the compressed data is damaged (Unknown frame descriptor); download or "
          + "make the file again")
    ) { try LineReader(url: plain).next() }
    var flipped = frame
    flipped[flipped.count - 2] ^= 1  // in the checksum
    let bad = try folder.write(flipped, to: "flipped.txt.zst")
    #expect(
      throws: SpeculateError(
        "\(bad.path): the compressed data is damaged (Restored data doesn't match checksum); "
          + "download or make the file again")
    ) {
      let reader = try LineReader(url: bad)
      while try reader.next() != nil {}
    }
  }

  @Test func whatIsNoFileIsSaidSo() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SpeculateError("\(folder.url.path): is a folder; give a file")) {
      try LineReader(url: folder.url)
    }
    let missing = folder.file("missing.txt")
    #expect(throws: SpeculateError("\(missing.path): no such file; check the path")) {
      try LineReader(url: missing)
    }
  }

  @Test func blocksSurviveCompression() throws {
    for count in [0, 1, 1000, 300_000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) }
      let frame = try bytes.withUnsafeBytes { try Zstd.compress($0, level: 1) }
      let back = try frame.withUnsafeBytes { try Zstd.decompress($0, byteCount: count) }
      #expect(back == bytes)
      #expect(throws: SpeculateError.self) {
        try frame.withUnsafeBytes { try Zstd.decompress($0, byteCount: count + 1) }
      }
      for absurd in [-1, Int.max] {
        #expect(throws: SpeculateError("the compressed data can't hold \(absurd) bytes")) {
          try frame.withUnsafeBytes { try Zstd.decompress($0, byteCount: absurd) }
        }
      }
    }
  }
}
