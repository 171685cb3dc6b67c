import Files
import Foundation
import TestSupport
import Testing

@Suite struct WritingTests {
  private func names(in folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
  }

  @Test func aFileIsReplacedAsAWhole() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("a.json")
    try AtomicFile.write(Data("one".utf8), to: url)
    let reader = try MappedFile(url: url)
    try AtomicFile.write(Data("two, longer".utf8), to: url)
    // Who has the old file open still sees the old file.
    #expect(Array(reader.bytes) == Array("one".utf8))
    #expect(try Data(contentsOf: url) == Data("two, longer".utf8))
    try AtomicFile.write(Data(), to: url)
    #expect(try Data(contentsOf: url).isEmpty)
    #expect(try MappedFile(url: url).bytes.isEmpty)
    #expect(try names(in: folder) == ["a.json"])
  }

  @Test func anUnfinishedFileLeavesNothing() throws {
    let folder = try TemporaryFolder()
    try folder.write(Array("old".utf8), to: "a.bin")
    do {
      let writer = try AtomicFileWriter(url: folder.file("a.bin"))
      try [UInt8](repeating: 1, count: 100).withUnsafeBytes { try writer.write($0) }
      #expect(try names(in: folder).count == 2)
    }
    #expect(try names(in: folder) == ["a.bin"])
    #expect(try Data(contentsOf: folder.file("a.bin")) == Data("old".utf8))
  }

  @Test func whatStandsInTheWayIsSaid() throws {
    let folder = try TemporaryFolder()
    let missing = folder.file("no/a.bin")
    #expect(
      throws: SpeculateError(
        "\(missing.path): can't be written: there is no folder \(folder.file("no").path); create "
          + "it first")
    ) { try AtomicFile.write(Data(), to: missing) }
    try FileManager.default.createDirectory(
      at: folder.file("d/x"), withIntermediateDirectories: true)
    #expect(
      throws: SpeculateError("\(folder.file("d").path): can't be written: Is a directory")
    ) { try AtomicFile.write(Data([1]), to: folder.file("d")) }
    #expect(try names(in: folder) == ["d"])
  }

  @Test func namesThatCannotBeWrittenAreRefused() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("m.safetensors")
    let one: [Float] = [1]
    try one.withUnsafeBufferPointer { values in
      let start = try #require(values.baseAddress)
      let entry = SafetensorsWriter.Entry(name: "a", shape: [1], type: .f32, values: start)
      #expect(
        throws: SpeculateError(
          "\(url.path): can't be written: the tensor name \"a\" is used twice")
      ) { try SafetensorsWriter.write([entry, entry], to: url) }
      #expect(
        throws: SpeculateError(
          "\(url.path): can't be written: the tensor name \"__metadata__\" is reserved")
      ) {
        try SafetensorsWriter.write(
          [.init(name: "__metadata__", shape: [1], type: .f32, values: start)], to: url)
      }
    }
    #expect(try names(in: folder) == [])
  }

  /// Every tensor starts at a multiple of its element size, whatever the order it was given in.
  @Test func tensorsAreAligned() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("m.safetensors")
    let values = [Float](repeating: 0.5, count: 5)
    try values.withUnsafeBufferPointer { values in
      let start = try #require(values.baseAddress)
      try SafetensorsWriter.write(
        [
          .init(name: "h", shape: [3], type: .f16, values: start),
          .init(name: "b", shape: [5], type: .bf16, values: start),
          .init(name: "i", integers: [1]),
          .init(name: "f", shape: [1], type: .f32, values: start),
        ], to: url)
    }
    let checkpoint = try Checkpoint(file: url)
    for (name, alignment) in [("h", 2), ("b", 2), ("i", 8), ("f", 4)] {
      try checkpoint.withBytes(of: name) {
        #expect(UInt(bitPattern: $0.baseAddress) % UInt(alignment) == 0)
      }
    }
  }

  @Test func anAnnouncedSizeIsKept() throws {
    let writer = try ZstdWriter(contentSize: 3) { _ in }
    #expect(throws: SpeculateError.self) {
      try [UInt8(1), 2].withUnsafeBytes { try writer.write($0) }
      try writer.finish()
    }
  }
}
