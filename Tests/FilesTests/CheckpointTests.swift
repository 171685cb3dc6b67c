import Files
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct CheckpointTests {
  /// Values that survive every element type.
  static func values(_ count: Int, seed: Int) -> [Float] {
    (0..<count).map { Float(($0 &* 37 &+ seed) % 255 - 127) / 8 }
  }

  @Test(arguments: ["model.safetensors", "model.safetensors.zst"])
  func everyTypeSurvivesARoundTrip(name: String) throws {
    let folder = try TemporaryFolder()
    let shapes: [(String, [Int], ElementType)] = [
      ("a", [3, 5], .bf16), ("b.weight", [7], .f32), ("c", [2, 3, 4], .f16), ("scalar", [], .f32),
      ("empty", [0, 4], .bf16), ("large", [700, 1024], .bf16), ("é\"\n", [1], .f16),
    ]
    var expected: [String: [Float]] = [:]
    var entries: [SafetensorsWriter.Entry] = []
    var buffers: [FloatBuffer] = []
    for (seed, (name, shape, type)) in shapes.enumerated() {
      let values = Self.values(shape.reduce(1, *), seed: seed)
      let buffer = FloatBuffer(count: values.count)
      for (i, value) in values.enumerated() { buffer.base[i] = value }
      expected[name] = values
      buffers.append(buffer)
      entries.append(.init(name: name, shape: shape, type: type, values: buffer.base))
    }
    entries.append(.init(name: "map", integers: [5, -1, .max]))
    try withExtendedLifetime(buffers) {
      try SafetensorsWriter.write(
        entries, metadata: ["format": "pt", "\u{1}": "ü\\"], to: folder.file(name))
    }

    let checkpoint = try Checkpoint(directory: folder.url)
    #expect(checkpoint.names == (shapes.map(\.0) + ["map"]).sorted())
    #expect(checkpoint.metadata == ["format": "pt", "\u{1}": "ü\\"])
    for (name, shape, type) in shapes {
      #expect(checkpoint.storedType(of: name)?.elementType == type)
      #expect(checkpoint.shape(of: name) == shape)
      #expect(try checkpoint.floats(name, shape: shape).values == expected[name])
    }
    #expect(checkpoint.storedType(of: "map") == .i64)
    #expect(StoredType.i64.elementType == nil)
    let map = try checkpoint.withBytes(of: "map") { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
    }
    #expect(map == [5, -1, .max])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [name])
  }
  @Test func aTensorThatIsNotAsNeededIsNamedWithBothShapes() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(
      SafetensorsBytes.make(
        "{\(SafetensorsBytes.tensor("a", "F32", "[2,3]", "[0,24]"))}", dataBytes: 24),
      to: "model.safetensors")
    let checkpoint = try Checkpoint(directory: folder.url)
    #expect(
      throws: SpeculateError(
        "\(file.path): tensor \"a\" has shape [2, 3], but [3, 2] is needed; config.json and the "
          + "weights are not of the same model")
    ) { try checkpoint.floats("a", shape: [3, 2]) }
    #expect(
      throws: SpeculateError(
        "\(folder.url.path): there is no tensor \"b\" of shape [4]; the checkpoint is incomplete "
          + "or of another model")
    ) { try checkpoint.floats("b", shape: [4]) }
    #expect(
      throws: SpeculateError(
        "\(folder.url.path): there is no tensor \"b\"; the checkpoint is incomplete or of another "
          + "model")
    ) { try checkpoint.withBytes(of: "b") { _ in } }
    #expect(checkpoint.storedType(of: "b") == nil)
  }

  @Test func aFolderWithoutWeightsIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.path
    #expect(
      throws: SpeculateError(
        "\(path): there is no model.safetensors, model.safetensors.zst or "
          + "model.safetensors.index.json in this folder; check the path")
    ) { try Checkpoint(directory: folder.url) }
    try folder.write([1], to: "pytorch_model.bin")
    #expect(
      throws: SpeculateError(
        "\(path): the weights are a pickled pytorch_model.bin, which is not read; convert them to "
          + "model.safetensors")
    ) { try Checkpoint(directory: folder.url) }
    let missing = folder.file("none")
    #expect(throws: SpeculateError("\(missing.path): no such folder; check the path")) {
      try Checkpoint(directory: missing)
    }
    let file = folder.file("pytorch_model.bin")
    #expect(throws: SpeculateError("\(file.path): is a file; give the folder that holds it")) {
      try Checkpoint(directory: file)
    }
    #expect(throws: SpeculateError("\(path): is a folder; give a file")) {
      try Checkpoint(file: folder.url)
    }
    #expect(throws: SpeculateError("\(missing.path): no such file; check the path")) {
      try Checkpoint(file: missing)
    }
  }

  @Test func aPipeIsNoFile() throws {
    let folder = try TemporaryFolder()
    let pipe = folder.file("model.safetensors")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: SpeculateError("\(pipe.path): is not a regular file; give a file")) {
      try Checkpoint(directory: folder.url)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root reads everything"))
  func anUnreadableFileIsSaidSo() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(SafetensorsBytes.make("{}"), to: "model.safetensors")
    chmod(file.path, 0)
    #expect(
      throws: SpeculateError(
        "\(file.path): can't be read: permission denied; check its permissions")
    ) { try Checkpoint(directory: folder.url) }
  }

  @Test func plainWeightsComeBeforeCompressedOnesAndBothBeforeShards() throws {
    let folder = try TemporaryFolder()
    func file(_ name: String) -> [UInt8] {
      SafetensorsBytes.make("{\(SafetensorsBytes.tensor(name, "F32", "[0]", "[0,0]"))}")
    }
    try folder.write(file("sharded"), to: "s.safetensors")
    try folder.write(
      Array("{\"weight_map\":{\"sharded\":\"s.safetensors\"}}".utf8),
      to: "model.safetensors.index.json")
    #expect(try Checkpoint(directory: folder.url).names == ["sharded"])
    let frame = try file("compressed").withUnsafeBytes { try Zstd.compress($0) }
    try folder.write(frame, to: "model.safetensors.zst")
    #expect(try Checkpoint(directory: folder.url).names == ["compressed"])
    try folder.write(file("plain"), to: "model.safetensors")
    #expect(try Checkpoint(directory: folder.url).names == ["plain"])
  }

  /// Frames without a content size, with a wrong one, cut or followed by rubbish.
  @Test func compressedWeightsAreReadOrRefusedAsAWhole() throws {
    let folder = try TemporaryFolder()
    let count = 50_000
    let bytes =
      SafetensorsBytes.make(
        "{\(SafetensorsBytes.tensor("a", "F32", "[\(count)]", "[0,\(4 * count)]"))}", dataBytes: 0)
      + (0..<4 * count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let sized = try bytes.withUnsafeBytes { try Zstd.compress($0) }
    var unsized: [UInt8] = []
    let writer = try ZstdWriter { unsized.append(contentsOf: $0) }
    try bytes.withUnsafeBytes { try writer.write($0) }
    try writer.finish()
    #expect(unsized.count != sized.count)
    let split = try [bytes[..<1000], bytes[1000...]].flatMap { part in
      try Array(part).withUnsafeBytes { try Zstd.compress($0) }
    }
    for frame in [sized, unsized, split] {
      let checkpoint = try Checkpoint(file: folder.write(frame, to: "a.safetensors.zst"))
      #expect(try checkpoint.withBytes(of: "a") { Array($0) == Array(bytes.suffix(4 * count)) })
    }
    for cut in stride(from: 1, to: sized.count, by: 997) {
      let file = try folder.write(sized[..<cut], to: "cut.safetensors.zst")
      #expect(
        throws: SpeculateError(
          "\(file.path): the compressed data is cut short; download or make the file again")
      ) { try Checkpoint(file: file).withBytes(of: "a") { _ in } }
    }
    let rubbish = try folder.write(sized + [1, 2, 3, 4, 5], to: "r.safetensors.zst")
    #expect(
      throws: SpeculateError(
        "\(rubbish.path): the compressed data is damaged (Unknown frame descriptor); download or "
          + "make the file again")
    ) { try Checkpoint(file: rubbish).withBytes(of: "a") { _ in } }
    // The frame header: magic 4, descriptor 1, then here the content size, 4 bytes.
    #expect(sized[4] >> 6 == 2)
    var wrong = sized
    wrong[5] ^= 1
    let file = try folder.write(wrong, to: "w.safetensors.zst")
    #expect {
      try Checkpoint(file: file).withBytes(of: "a") { _ in }
    } throws: { error in
      "\(error)".hasPrefix("\(file.path): the compressed data is damaged (")
    }
  }
}
