/// Something that a folder of shards holds: a function of the folder's settings and its number.
package protocol ShardElement: Sendable, Equatable {
  associatedtype Settings: Sendable, Equatable, Codable
  /// How files and messages call them.
  static var kind: ShardKind { get }
  /// As 32-bit numbers: two of its own, how many follow, and those.
  var numbers: [Int32] { get }
  /// Reads the numbers; `nil` if they are no such element.
  init?(numbers: [Int32])
  var tokenCount: Int { get }
}

/// What one kind of shard is called.
package struct ShardKind: Sendable, Equatable {
  /// The first eight bytes of a shard.
  var magic: String
  /// The elements in the plural, which is also part of a shard's name.
  var name: String
  /// The command that makes them.
  var command: String
}
