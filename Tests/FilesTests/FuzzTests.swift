import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Damaged files must be refused with one line or load whole; nothing in between, and no trap.
@Suite struct FuzzTests {
  /// Opens a checkpoint and reads every value of it.
  ///
  /// - Returns: Whether it loaded.
  private func loads(_ open: () throws -> Checkpoint) -> Bool {
    do {
      let checkpoint = try open()
      for name in checkpoint.names {
        let bytes = try checkpoint.withBytes(of: name) { $0.reduce(0) { $0 &+ Int($1) } }
        #expect(bytes >= 0)
        let shape = try #require(checkpoint.shape(of: name))
        if checkpoint.storedType(of: name)?.elementType != nil {
          #expect(try checkpoint.floats(name, shape: shape).count == shape.reduce(1, *))
        }
      }
      return true
    } catch let error as SpeculateError {
      #expect(!error.description.contains("\n"))
      return false
    } catch {
      Issue.record("an error of another type: \(error)")
      return false
    }
  }

  private func sample(in folder: TemporaryFolder, _ name: String) throws -> [UInt8] {
    let values: [Float] = (0..<24).map { Float($0) }
    try values.withUnsafeBufferPointer { values in
      let start = try #require(values.baseAddress)
      try SafetensorsWriter.write(
        [
          .init(name: "a.weight", shape: [2, 3], type: .f32, values: start),
          .init(name: "b", shape: [4, 3, 2], type: .bf16, values: start),
          .init(name: "c", shape: [5], type: .f16, values: start),
          .init(name: "i", integers: [1, 2]),
          .init(name: "s", shape: [], type: .f32, values: start),
          .init(name: "e", shape: [0], type: .f32, values: start),
        ], metadata: ["format": "pt"], to: folder.file(name))
    }
    return Array(try Data(contentsOf: folder.file(name)))
  }

  @Test func mutatedWeights() throws {
    let folder = try TemporaryFolder()
    let good = try sample(in: folder, "model.safetensors")
    let header = 8 + Int(good[0]) + Int(good[1]) << 8
    var random = SplitMix(seed: 1)
    var loaded = 0
    for round in 0..<fuzzRounds(6000) {
      var bytes = good
      if round % 2 == 0 {
        // Only the header, and its length put right, so that the checks behind it are reached.
        var text = Array(good[8..<header])
        for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&text, &random) }
        bytes =
          withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
          + good[header...]
      } else {
        for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
      }
      let url = folder.file("m.safetensors")
      try Data(bytes).write(to: url)
      if loads({ try Checkpoint(file: url) }) { loaded += 1 }
    }
    // Some mutations hit blanks, names or data; most must be found out.
    #expect(loaded > 100 && loaded < fuzzRounds(3500))
  }

  /// Offsets, shapes and types of all sizes, plain and compressed.
  @Test(arguments: ["m.safetensors", "m.safetensors.zst"])
  func hostileHeaders(name: String) throws {
    let folder = try TemporaryFolder()
    let good = try sample(in: folder, "model.safetensors")
    let end = 8 + Int(good[0]) + Int(good[1]) << 8
    let header = String(decoding: good[8..<end], as: UTF8.self)
    var random = SplitMix(seed: 5)
    var loaded = 0
    for _ in 0..<fuzzRounds(3000) {
      let text = Array(makeHostile(header, &random).utf8)
      let length = Bool.random(using: &random) ? text.count : Int(truncatingIfNeeded: random.next())
      let bytes =
        withUnsafeBytes(of: UInt64(truncatingIfNeeded: length).littleEndian) { Array($0) } + text
        + good[end...]
      let url = try folder.write(
        name.hasSuffix(".zst") ? bytes.withUnsafeBytes { try Zstd.compress($0) } : bytes, to: name)
      if loads({ try Checkpoint(file: url) }) { loaded += 1 }
    }
    #expect(loaded < fuzzRounds(300))
  }

  @Test func mutatedCompressedWeights() throws {
    let folder = try TemporaryFolder()
    let good = try sample(in: folder, "model.safetensors.zst")
    var random = SplitMix(seed: 2)
    var loaded = 0
    for _ in 0..<fuzzRounds(3000) {
      var bytes = good
      for _ in 0..<Int.random(in: 1...2, using: &random) { mutate(&bytes, &random) }
      let url = folder.file("m.safetensors.zst")
      try Data(bytes).write(to: url)
      if bytes != good && loads({ try Checkpoint(file: url) }) { loaded += 1 }
    }
    // The checksum leaves next to nothing through.
    #expect(loaded < fuzzRounds(30))
  }

  @Test func mutatedIndex() throws {
    let folder = try TemporaryFolder()
    let shard = try sample(in: folder, "one.safetensors")
    try folder.write(shard, to: "two.safetensors")
    let good = Array(
      #"{"metadata":{},"weight_map":{"a.weight":"one.safetensors","b":"one.safetensors"}}"#.utf8)
    var random = SplitMix(seed: 3)
    var loaded = 0
    for _ in 0..<fuzzRounds(3000) {
      var bytes = good
      for _ in 0..<Int.random(in: 1...2, using: &random) { mutate(&bytes, &random) }
      try folder.write(bytes, to: "model.safetensors.index.json")
      if loads({ try Checkpoint(directory: folder.url) }) { loaded += 1 }
    }
    #expect(loaded > 10 && loaded < fuzzRounds(2000))
  }

  @Test func mutatedLines() throws {
    let folder = try TemporaryFolder()
    let good = Array((0..<40).map { "{\"text\": \"Zeile \($0) ä€😀\"}\r\n" }.joined().utf8)
    let frame = try good.withUnsafeBytes { try Zstd.compress($0) }
    var random = SplitMix(seed: 4)
    for round in 0..<fuzzRounds(2000) {
      var bytes = round % 2 == 0 ? good : frame
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
      let url = folder.file(round % 2 == 0 ? "l.jsonl" : "l.jsonl.zst")
      try Data(bytes).write(to: url)
      do {
        let reader = try LineReader(url: url, maximumLineBytes: 200, bufferBytes: 16)
        while try reader.next() != nil {}
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
  }
}
