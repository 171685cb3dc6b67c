import Foundation

/// `model.safetensors.index.json`: which shard holds which tensor.
struct CheckpointIndex {
  let url: URL
  /// The shards, each once, in the order of their names.
  let files: [URL]
  private let shards: [String: URL]

  /// Reads an index and checks that every shard is a file of its own folder.
  ///
  /// - Throws: `SpeculateError` naming the index and what is wrong with it.
  init(url: URL) throws {
    self.url = url
    func problem(_ text: String) -> SpeculateError {
      SpeculateError("\(url.path): \(text); download or convert the checkpoint again")
    }
    let file = try MappedFile(url: url)
    let document: JSONValue
    do {
      document = try JSONValue(parsing: file.bytes)
    } catch {
      throw problem("\(error)")
    }
    guard let map = document["weight_map"]?.members else { throw problem("there is no weight_map") }
    guard !map.isEmpty else { throw problem("weight_map is empty") }
    let folder = url.deletingLastPathComponent()
    var found: [String: URL] = [:]
    var shards: [String: URL] = [:]
    for (tensor, value) in map.sorted(by: { $0.key < $1.key }) {
      guard let name = value.text else {
        throw problem("weight_map: the file of \(quoted(tensor)) is not a string")
      }
      if let shard = found[name] {
        shards[tensor] = shard
        continue
      }
      guard Self.isFileName(name) else {
        throw problem("weight_map: \(quoted(name)) is not the name of a file in this folder")
      }
      let plain = folder.appendingPathComponent(name)
      let compressed = folder.appendingPathComponent(name + ".zst")
      let shard =
        !FileManager.default.fileExists(atPath: plain.path)
          && FileManager.default.fileExists(atPath: compressed.path) ? compressed : plain
      guard FileManager.default.fileExists(atPath: shard.path) else {
        throw problem("the shard \(quoted(name)) is missing")
      }
      found[name] = shard
      shards[tensor] = shard
    }
    self.shards = shards
    files = found.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The shard that holds a tensor; nil for one that the index doesn't name.
  func shard(of tensor: String) -> URL? { shards[tensor] }

  /// Checks that every tensor of the index is in the shard the index names.
  func check(_ actual: (_ tensor: String) -> URL?) throws {
    for (tensor, shard) in shards.sorted(by: { $0.key < $1.key }) where actual(tensor) != shard {
      throw SpeculateError(
        "\(url.path): tensor \(quoted(tensor)) is not in \(shard.lastPathComponent) as the index "
          + "says; download or convert the checkpoint again")
    }
  }

  private static func isFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/"))
      && !name.utf8.contains(0) && (name.hasSuffix(".safetensors") || name.hasSuffix(".zst"))
  }
}
