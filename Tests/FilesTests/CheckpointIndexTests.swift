import Files
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct CheckpointIndexTests {
  private static func shard(_ names: String...) -> [UInt8] {
    let tensors = names.enumerated().map {
      SafetensorsBytes.tensor($1, "F32", "[1]", "[\(4 * $0),\(4 * $0 + 4)]")
    }
    return SafetensorsBytes.make(
      "{\"__metadata__\":{\"format\":\"pt\",\"of\":\"\(names[0])\"},\(tensors.joined(separator: ","))}",
      dataBytes: 4 * names.count)
  }

  /// A folder with shards `one` (a, b) and `two` (c, compressed if wanted), and an index.
  private func folder(index: String, compressed: Bool = false) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(Self.shard("a", "b"), to: "one.safetensors")
    if compressed {
      let frame = try Self.shard("c").withUnsafeBytes { try Zstd.compress($0) }
      try folder.write(frame, to: "two.safetensors.zst")
    } else {
      try folder.write(Self.shard("c"), to: "two.safetensors")
    }
    try folder.write(Array(index.utf8), to: "model.safetensors.index.json")
    return folder
  }

  @Test(arguments: [false, true])
  func shardsAreOneCheckpoint(compressed: Bool) throws {
    let folder = try folder(
      index: """
        {"metadata": {"total_size": 12}, "weight_map":
         {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}}
        """, compressed: compressed)
    let checkpoint = try Checkpoint(directory: folder.url)
    #expect(checkpoint.names == ["a", "b", "c"])
    #expect(
      checkpoint.files.map(\.lastPathComponent)
        == ["one.safetensors", compressed ? "two.safetensors.zst" : "two.safetensors"])
    #expect(checkpoint.metadata == ["format": "pt", "of": "a"])
    for name in checkpoint.names { #expect(try checkpoint.floats(name, shape: [1]).values == [0]) }
  }

  @Test func tensorsTheIndexLeavesOutAreStillFound() throws {
    let folder = try folder(
      index: "{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}")
    #expect(try Checkpoint(directory: folder.url).names == ["a", "b", "c"])
  }

  /// Of a tensor in two shards the index says which one counts; without its word there is none that does.
  @Test func theIndexDecidesBetweenShards() throws {
    func shape(_ shard: String) throws -> [Int]? {
      let folder = try self.folder(
        index:
          "{\"weight_map\":{\"a\":\"\(shard)\",\"b\":\"one.safetensors\",\"d\":\"three.safetensors\"}}"
      )
      let other = [
        SafetensorsBytes.tensor("a", "F32", "[2]", "[0,8]"),
        SafetensorsBytes.tensor("d", "F32", "[1]", "[8,12]"),
      ]
      try folder.write(
        SafetensorsBytes.make("{\(other.joined(separator: ","))}", dataBytes: 12),
        to: "three.safetensors")
      return try Checkpoint(directory: folder.url).shape(of: "a")
    }
    #expect(try shape("one.safetensors") == [1])
    #expect(try shape("three.safetensors") == [2])
    let folder = try self.folder(
      index: "{\"weight_map\":{\"b\":\"one.safetensors\",\"c\":\"two.safetensors\"}}")
    try folder.write(Self.shard("c", "a"), to: "two.safetensors")
    let error = #expect(throws: SpeculateError.self) { try Checkpoint(directory: folder.url) }
    #expect("\(String(describing: error))".contains("is in one.safetensors too"))
  }

  /// A single file comes before an index, as in transformers, and a notice says so.
  @Test func aSingleFileBesideAnIndexIsSaid() throws {
    let index = "{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}"
    let folder = try folder(index: index)
    #expect(try Checkpoint(directory: folder.url).notices.isEmpty)
    let file = try folder.write(Self.shard("x"), to: "model.safetensors")
    let checkpoint = try Checkpoint(directory: folder.url)
    #expect(checkpoint.names == ["x"])
    #expect(
      checkpoint.notices.map(\.description) == [
        "\(file.path): it is used, and the shards of model.safetensors.index.json beside it are not; "
          + "remove the one that isn't meant"
      ])
  }

  /// `transformers_weights` names a file or an index, of this folder.
  @Test func theConfigurationMayNameTheWeights() throws {
    let index = "{\"weight_map\":{\"c\":\"two.safetensors\"}}"
    let folder = try folder(index: index)
    try folder.write(Self.shard("x"), to: "model.safetensors")
    try folder.write(index.utf8, to: "other.safetensors.index.json")
    func names(_ value: String) throws -> [String] {
      try folder.write("{\"transformers_weights\": \(value)}".utf8, to: "config.json")
      return try Checkpoint(directory: folder.url).names
    }
    #expect(try names("null") == ["x"])
    #expect(try names("\"one.safetensors\"") == ["a", "b"])
    #expect(try names("\"other.safetensors.index.json\"") == ["c"])
    for wrong in ["none.safetensors", "../x.safetensors", "config.json"] {
      #expect(
        throws: SpeculateError(
          "\(folder.url.path)/config.json: transformers_weights \"\(wrong)\" is no .safetensors or "
            + ".safetensors.index.json file of this folder; correct it")
      ) { try names("\"\(wrong)\"") }
    }
  }

  static let problems: [(index: String, problem: String)] = [
    ("", "not valid JSON at byte 0: the document ends where a value should stand"),
    ("[]", "there is no weight_map"),
    ("{}", "there is no weight_map"),
    ("{\"weight_map\":[]}", "there is no weight_map"),
    ("{\"weight_map\":{}}", "weight_map is empty"),
    ("{\"weight_map\":{\"a\":1}}", "weight_map: the file of \"a\" is not a string"),
    (
      "{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"two.safetensors\"}}",
      "not valid JSON at byte 37: \"a\" appears twice"
    ),
    (
      "{\"weight_map\":{\"a\":\"three.safetensors\"}}",
      "the shard \"three.safetensors\" is missing"
    ),
    (
      "{\"weight_map\":{\"a\":\"../one.safetensors\"}}",
      "weight_map: \"../one.safetensors\" is not the name of a file in this folder"
    ),
    (
      "{\"weight_map\":{\"a\":\"/etc/passwd\"}}",
      "weight_map: \"/etc/passwd\" is not the name of a file in this folder"
    ),
    (
      "{\"weight_map\":{\"a\":\"x/one.safetensors\"}}",
      "weight_map: \"x/one.safetensors\" is not the name of a file in this folder"
    ),
    (
      "{\"weight_map\":{\"a\":\"..\"}}",
      "weight_map: \"..\" is not the name of a file in this folder"
    ),
    ("{\"weight_map\":{\"a\":\"\"}}", "weight_map: \"\" is not the name of a file in this folder"),
    (
      "{\"weight_map\":{\"a\":\"two.safetensors\",\"b\":\"one.safetensors\",\"c\":\"two.safetensors\"}}",
      "tensor \"a\" is not in two.safetensors as the index says"
    ),
    (
      "{\"weight_map\":{\"a\":\"one.safetensors\",\"z\":\"one.safetensors\"}}",
      "tensor \"z\" is not in one.safetensors as the index says"
    ),
  ]

  @Test(arguments: problems)
  func whatIsWrongIsNamed(index: String, problem: String) throws {
    let folder = try folder(index: index)
    let path = folder.file("model.safetensors.index.json").path
    #expect(
      throws: SpeculateError("\(path): \(problem); download or convert the checkpoint again")
    ) { try Checkpoint(directory: folder.url) }
  }

  @Test func aDamagedShardIsNamed() throws {
    let folder = try folder(
      index: "{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}")
    try folder.write(Self.shard("c").dropLast(), to: "two.safetensors")
    #expect(
      throws: SpeculateError(
        "\(folder.file("two.safetensors").path): tensor \"c\": data_offsets [0, 4] reach beyond "
          + "the 3 bytes of data; the file is damaged or incomplete: download or convert it again")
    ) { try Checkpoint(directory: folder.url) }
  }
}
