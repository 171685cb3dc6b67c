import Files
import Foundation
import TestSupport
import Testing

@Suite struct GGUFFileTests {
  static let fixtures = TestFiles.package.appending(path: "Tests/Fixtures/gguf")

  private func bytes(_ file: GGUFFile, _ name: String) throws -> [UInt8] {
    try file.withBytes(of: name) { Array($0) }
  }

  /// The values of tensor "half" of the fixture, the first rows of a ramp.
  private func ramp(_ count: Int) -> [Float] { (0..<count).map { (Float($0) - 200) / 64 } }

  private func checkTensors(_ file: GGUFFile) throws {
    #expect(file.names == ["bytes", "cube", "half", "nibbles", "vector"])
    let half = try #require(file.tensor("half"))
    #expect(half.type == .f16 && half.shape == [3, 64])
    #expect(try bytes(file, "half").count == 3 * 64 * 2)
    let cube = try #require(file.tensor("cube"))
    #expect(cube.type == .f32 && cube.shape == [2, 3, 64])
    let values = try file.withBytes(of: "cube") { bytes in
      (0..<6 * 64).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
    #expect(values == ramp(6 * 64))
    #expect(file.tensor("vector")?.shape == [5])
    #expect(file.tensor("bytes")?.type == .q80 && file.tensor("bytes")?.shape == [8, 64])
    #expect(try bytes(file, "bytes").count == 8 * 2 * 34)
    #expect(file.tensor("nibbles")?.type == .q41)
    #expect(file.tensor("nothing") == nil)
  }

  @Test func readsWhatTheReferenceWrites() throws {
    let file = try GGUFFile(url: Self.fixtures.appending(path: "small.gguf"))
    try checkTensors(file)
    let all = file.metadata
    #expect(all["general.architecture"] == .string("test"))
    #expect(all["test.uint8"] == .uint8(200) && all["test.int8"] == .int8(-100))
    #expect(all["test.uint16"] == .uint16(60_000) && all["test.int16"] == .int16(-30_000))
    #expect(all["test.uint32"] == .uint32(4_000_000_000))
    #expect(all["test.int32"] == .int32(-2_000_000_000))
    #expect(all["test.uint64"] == .uint64(1 << 63 + 5) && all["test.int64"] == .int64(-(1 << 62)))
    #expect(all["test.float32"] == .float32(0.1) && all["test.float64"] == .float64(0.1))
    #expect(all["test.bool"] == .bool(true))
    #expect(all["test.string"] == .string("a é中😀"))
    #expect(all["test.strings"]?.array?.strings == ["", "Ġthe", "\n"])
    #expect(all["test.integers"]?.array?.integers == [1, -2, 3])
    #expect(all["test.floats"]?.array?.numbers == [0.5, -0.25])
    #expect(all["test.bools"]?.array?.elements == [.bool(true), .bool(false)])
    #expect(all["test.integers"]?.array?.strings == nil)
    #expect(all["test.floats"]?.array?.integers == nil)
    #expect(all["test.uint64"]?.integer == nil && all["test.int8"]?.integer == -100)
    #expect(all["test.uint8"]?.number == 200 && all["test.float32"]?.number == Double(0.1 as Float))
  }

  @Test func readsTheValueOfAKeyInTheRightTypeOnly() {
    #expect(GGUFValue.string("a").integer == nil && GGUFValue.bool(true).number == nil)
    #expect(GGUFValue.uint8(1).text == nil && GGUFValue.uint8(1).flag == nil)
    #expect(GGUFValue.uint8(1).array == nil)
  }

  @Test func opensASplitModelByAnyPart() throws {
    for part in 1...3 {
      let file = try GGUFFile(
        url: Self.fixtures.appending(path: "small-0000\(part)-of-00003.gguf"))
      try checkTensors(file)
      #expect(file.files.count == 3)
    }
  }

  private func parts(in folder: TemporaryFolder, _ numbers: [Int: Int]) throws {
    for (source, target) in numbers {
      try FileManager.default.copyItem(
        at: Self.fixtures.appending(path: "small-0000\(source)-of-00003.gguf"),
        to: folder.file("m-0000\(target)-of-00003.gguf"))
    }
  }

  private func problem(_ open: () throws -> GGUFFile) throws -> String {
    try #require(#expect(throws: SpeculateError.self) { _ = try open() }).description
  }

  @Test func partsThatDontFitTogether() throws {
    var folder = try TemporaryFolder()
    try parts(in: folder, [1: 1, 3: 3])
    let first = folder.file("m-00001-of-00003.gguf")
    #expect(
      try problem { try GGUFFile(url: first) }
        == "\(first.path): the part \"m-00002-of-00003.gguf\" of the model is missing; download it "
        + "too")
    try parts(in: folder, [1: 2])
    #expect(
      try problem { try GGUFFile(url: first) }
        == "\(folder.file("m-00002-of-00003.gguf").path): is not part 2 of 3 of a model as its name "
        + "says; download it again")
    folder = try TemporaryFolder()
    let renamed = folder.file("m.gguf")
    try FileManager.default.copyItem(
      at: Self.fixtures.appending(path: "small-00001-of-00003.gguf"), to: renamed)
    #expect(
      try problem { try GGUFFile(url: renamed) }
        == "\(renamed.path): is part 1 of 3 of a model, but its name doesn't end in "
        + "-00001-of-00003.gguf; give the parts their names back")
  }

  @Test func partsOfWhichATensorIsTwice() throws {
    let folder = try TemporaryFolder()
    for index in 0..<2 {
      try GGUFWriter.write(
        metadata: [("split.count", .uint16(2)), ("split.no", .uint16(UInt16(index)))],
        [.init(name: "a", type: .f32, shape: [1]) { try [Float(1)].withUnsafeBytes($0) }],
        to: folder.file("m-0000\(index + 1)-of-00002.gguf"))
    }
    let second = folder.file("m-00002-of-00002.gguf")
    #expect(
      try problem { try GGUFFile(url: second) }
        == "\(second.path): tensor \"a\" is in m-00001-of-00002.gguf too; download or convert the "
        + "model again")
    try GGUFWriter.write(
      metadata: [
        ("split.count", .uint16(2)), ("split.no", .uint16(1)), ("split.tensors.count", .int32(7)),
      ], [], to: second)
    try GGUFWriter.write(
      metadata: [
        ("split.count", .uint16(2)), ("split.no", .uint16(0)), ("split.tensors.count", .int32(7)),
      ], [], to: folder.file("m-00001-of-00002.gguf"))
    #expect(
      try problem { try GGUFFile(url: second) }
        == "\(folder.file("m-00001-of-00002.gguf").path): the parts have 0 tensors together, but "
        + "split.tensors.count is 7; download the parts again")
  }

  @Test func writesWhatItReads() throws {
    let folder = try TemporaryFolder()
    let source = try GGUFFile(url: Self.fixtures.appending(path: "small.gguf"))
    let nested = GGUFArray(
      [.array(GGUFArray(strings: ["a", "b"])), .array(GGUFArray([.uint8(1)], of: .uint8))],
      of: .array)
    for alignment: UInt32 in [32, 1, 4096] {
      var metadata = source.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      metadata.append(("general.alignment", .uint32(alignment)))
      metadata.append(("test.nested", .array(nested)))
      let entries = try source.names.map { name in
        let tensor = try #require(source.tensor(name))
        return GGUFWriter.Entry(name: name, type: tensor.type, shape: tensor.shape) { sink in
          try source.withBytes(of: name) { bytes in
            // In two pieces.
            try sink(UnsafeRawBufferPointer(rebasing: bytes[..<7]))
            try sink(UnsafeRawBufferPointer(rebasing: bytes[7...]))
          }
        }
      }
      let url = folder.file("copy-\(alignment).gguf")
      try GGUFWriter.write(metadata: metadata, entries, to: url)
      let copy = try GGUFFile(url: url)
      try checkTensors(copy)
      for name in source.names { #expect(try bytes(copy, name) == bytes(source, name)) }
      for (key, value) in source.metadata { #expect(copy.metadata[key] == value) }
      let inner = try #require(copy.metadata["test.nested"]?.array?.elements)
      #expect(inner.count == 2 && inner[0].array?.strings == ["a", "b"])
      #expect(inner[1].array?.integers == [1] && copy.metadata["test.nested"] == .array(nested))
    }
  }

  @Test func refusesToWriteNamesTwice() throws {
    let url = try TemporaryFolder().file("a.gguf")
    func problem(
      _ metadata: [(key: String, value: GGUFValue)], _ names: [String]
    ) throws -> String {
      try #require(
        #expect(throws: SpeculateError.self) {
          try GGUFWriter.write(
            metadata: metadata,
            names.map { .init(name: $0, type: .f32, shape: [0]) { _ in } }, to: url)
        }
      ).description
    }
    #expect(
      try problem([("k", .bool(true)), ("k", .bool(false))], [])
        == "\(url.path): can't be written: the metadata key \"k\" is used twice")
    #expect(
      try problem([], ["t", "t"])
        == "\(url.path): can't be written: the tensor name \"t\" is used twice")
    #expect(
      try problem([("general.alignment", .uint32(48))], [])
        == "\(url.path): can't be written: general.alignment must be a power of two up to 2^30")
  }
}
