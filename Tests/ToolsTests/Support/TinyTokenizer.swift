import Foundation

/// A SentencePiece model of the 256 bytes, so that every text has as many tokens as bytes.
enum TinyTokenizer {
  static let begin = 1
  static let end = 2
  static let mask = 3
  /// Four special tokens, the bytes, and the mark that stands for a space.
  static let vocabulary = 261

  /// The file's content.
  static var model: Data {
    var file = Protobuf()
    let special: [(String, UInt64)] = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("<mask>", 3)]
    let bytes = (0..<256).map { (String(format: "<0x%02X>", $0), UInt64(6)) }
    for (piece, type) in special + bytes + [("\u{2581}", 1)] {
      var message = Protobuf()
      message.add(1, text: piece)
      message.add(2, float: 0)
      message.add(3, number: type)
      file.add(1, message: message)
    }
    var trainer = Protobuf()
    trainer.add(3, number: 2)  // model_type: BPE
    trainer.add(4, number: UInt64(vocabulary))
    trainer.add(35, number: 1)  // byte_fallback
    file.add(2, message: trainer)
    var normalizer = Protobuf()
    normalizer.add(1, text: "identity")
    normalizer.add(3, number: 0)  // add_dummy_prefix
    normalizer.add(4, number: 0)  // remove_extra_whitespaces
    normalizer.add(5, number: 1)  // escape_whitespaces
    file.add(3, message: normalizer)
    return Data(file.bytes)
  }
}

/// As much of the protocol buffer encoding as a SentencePiece model takes.
private struct Protobuf {
  var bytes: [UInt8] = []

  mutating func add(_ field: UInt64, number: UInt64) {
    append(varint: field << 3)
    append(varint: number)
  }

  mutating func add(_ field: UInt64, float: Float) {
    append(varint: field << 3 | 5)
    withUnsafeBytes(of: float.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func add(_ field: UInt64, text: String) { add(field, payload: Array(text.utf8)) }

  mutating func add(_ field: UInt64, message: Protobuf) { add(field, payload: message.bytes) }

  private mutating func add(_ field: UInt64, payload: [UInt8]) {
    append(varint: field << 3 | 2)
    append(varint: UInt64(payload.count))
    bytes += payload
  }

  private mutating func append(varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
