import Files
import Foundation

/// Tables lie in folders, as other drafters do: `config.json` and `model.safetensors`.
extension AnswerTable {
  package static let architecture = "AnswerTable"

  /// Writes the table's files into a folder that exists, under temporary names that are then renamed.
  ///
  /// - Throws: `SpeculateError` if a file can't be written.
  package func write(to folder: URL) throws {
    func entry(_ name: String, _ shape: [Int], _ type: StoredType, _ values: [some BitwiseCopyable])
      -> SafetensorsWriter.Entry
    {
      SafetensorsWriter.Entry(name: name, shape: shape, type: type) { sink in
        try values.withUnsafeBytes(sink)
      }
    }
    try SafetensorsWriter.write(
      [
        entry("keys", [count], .u64, keys), entry("tokens", [count, Self.width], .i32, tokens),
        entry("shares", [count, Self.width], .u8, shares),
      ], to: folder.appending(path: "model.safetensors"))
    var configuration: [String: JSONValue] = [
      "architectures": .array([.string(Self.architecture)]),
      "vocab_size": .integer(vocabularySize), "longest_run": .integer(Self.longest),
      "width": .integer(Self.width),
    ]
    if let tokenizer { configuration["tokenizer_hash"] = .string(String(tokenizer, radix: 16)) }
    try AtomicFile.write(
      JSONValue.object(configuration).encoded(), to: folder.appending(path: "config.json"))
  }

  /// Whether a folder's configuration is a table's.
  package static func isMeant(by directory: URL) throws -> Bool {
    let url = directory.appending(path: "config.json")
    guard FileManager.default.fileExists(atPath: url.path) else { return false }
    return try ConfigurationFile(url: url).texts("architectures")?.contains(architecture) ?? false
  }

  /// The size of the vocabulary that a table was made for.
  ///
  /// - Throws: `SpeculateError` if its configuration can't be read, or is of another kind of table.
  package static func vocabularySize(of directory: URL) throws -> Int {
    let file = try ConfigurationFile(url: directory.appending(path: "config.json"))
    for (key, own) in [("longest_run", longest), ("width", width)] {
      let value = try file.requiredInteger(key)
      guard value == own else {
        throw file.problem("'\(key)' is \(value), but tables have \(own) here: make it anew")
      }
    }
    let vocabulary = try file.requiredInteger("vocab_size")
    guard (1...1 << 30).contains(vocabulary) else {
      throw file.problem("'vocab_size' is \(vocabulary): the table is damaged")
    }
    return vocabulary
  }

  /// The fingerprint of the tokenizer of the target that a table was made for; nil where it doesn't say.
  ///
  /// - Throws: `SpeculateError` if its configuration can't be read.
  package static func tokenizer(of directory: URL) throws -> UInt64? {
    let file = try ConfigurationFile(url: directory.appending(path: "config.json"))
    return try file.text("tokenizer_hash").map { text in
      guard let hash = UInt64(text, radix: 16) else {
        throw file.problem("'tokenizer_hash' is \(text): the table is damaged")
      }
      return hash
    }
  }

  /// Reads a table's folder.
  ///
  /// - Throws: `SpeculateError` when a file is missing or damaged.
  package convenience init(directory: URL) throws {
    let vocabulary = try Self.vocabularySize(of: directory)
    let file = try Checkpoint(directory: directory)
    let damage = SpeculateError(
      "\(directory.path) holds a damaged table of answers: copy it again, or make it anew with "
        + "'speculate distill table'")
    func values<Value: BitwiseCopyable>(
      _ name: String, _ type: StoredType, _ shape: [Int], as _: Value.Type
    ) throws -> [Value] {
      guard file.storedType(of: name) == type, file.shape(of: name) == shape else { throw damage }
      return try file.withBytes(of: name) { bytes in
        (0..<shape.reduce(1, *)).map {
          bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.stride, as: Value.self)
        }
      }
    }
    guard let shape = file.shape(of: "keys"), shape.count == 1, shape[0] <= Int(Int32.max) else {
      throw damage
    }
    let keys = try values("keys", .u64, shape, as: UInt64.self)
    let tokens = try values("tokens", .i32, shape + [Self.width], as: Token.self)
    let shares = try values("shares", .u8, shape + [Self.width], as: UInt8.self)
    let isSound =
      zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
      && tokens.allSatisfy { (-1..<vocabulary).contains(Int($0)) }
      && stride(from: 0, to: tokens.count, by: Self.width).allSatisfy { tokens[$0] >= 0 }
    guard isSound else { throw damage }
    self.init(
      keys: keys, tokens: tokens, shares: shares, vocabularySize: vocabulary,
      tokenizer: try Self.tokenizer(of: directory), path: directory.path)
  }
}
