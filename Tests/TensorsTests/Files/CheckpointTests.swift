import Foundation
import Tensors
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
      #expect(checkpoint.info(name) == TensorInfo(name: name, type: type, shape: shape))
      let floats = try checkpoint.floats(name, shape: shape)
      #expect(Array(UnsafeBufferPointer(start: floats.base, count: floats.count)) == expected[name])
    }
    #expect(checkpoint.info("map") == nil)
    #expect(checkpoint.storedType(of: "map") == "I64")
    let map = try checkpoint.withBytes(of: "map") { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
    }
    #expect(map == [5, -1, .max])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [name])
  }
}
