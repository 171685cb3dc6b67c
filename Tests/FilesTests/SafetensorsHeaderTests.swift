import Files
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct SafetensorsHeaderTests {
  private static let tail =
    "; the file is damaged or incomplete: download or convert it again"

  /// A damaged file and what is said of it.
  struct Damage: CustomTestStringConvertible, Sendable {
    let bytes: [UInt8]
    let problem: String
    var testDescription: String { problem }

    init(_ header: String, data: Int = 0, _ problem: String) {
      bytes = SafetensorsBytes.make("{\(header)}", dataBytes: data)
      self.problem = problem
    }

    init(bytes: [UInt8], _ problem: String) {
      self.bytes = bytes
      self.problem = problem
    }
  }

  private static func tensor(
    _ name: String, _ type: String = "F32", _ shape: String = "[1]", _ offsets: String
  ) -> String { SafetensorsBytes.tensor(name, type, shape, offsets) }

  static let damages: [Damage] = [
    // Length and JSON.
    Damage(bytes: [], "the file is empty"),
    Damage(bytes: [1, 2, 3], "3 bytes are no safetensors file"),
    Damage(
      bytes: SafetensorsBytes.make("{}", length: 100_000_001),
      "the header would be 100000001 bytes long, more than 100000000: not a safetensors file"),
    Damage(
      bytes: SafetensorsBytes.make("{}", length: .max),
      "the header would be 18446744073709551615 bytes long, more than 100000000: not a "
        + "safetensors file"),
    Damage(
      bytes: SafetensorsBytes.make("{}", length: 100_000_000),
      "the header needs 100000000 bytes, but 2 follow"),
    Damage(
      bytes: SafetensorsBytes.make("{}", length: 3), "the header needs 3 bytes, but 2 follow"),
    Damage(
      bytes: SafetensorsBytes.make("", length: 0),
      "header: not valid JSON at byte 0: the document ends where a value should stand"),
    Damage(
      bytes: SafetensorsBytes.make("{}\0\0"),
      "header: not valid JSON at byte 2: text after the end of the document"),
    Damage(
      bytes: SafetensorsBytes.make("{,}"),
      "header: not valid JSON at byte 1: \"\"\" should stand here, but there is something else"),
    Damage(bytes: SafetensorsBytes.make("[]"), "the header is not a JSON object"),
    Damage(
      bytes: SafetensorsBytes.make(String(repeating: "[", count: 100_000)),
      "header: not valid JSON at byte 129: nested deeper than 128 levels"),
    Damage(
      bytes: [4, 0, 0, 0, 0, 0, 0, 0] + [UInt8](ascii("{\"")) + [0xFF] + ascii("\""),
      "header: not valid JSON at byte 2: the string is not valid UTF-8"),
    // Duplicates.
    Damage(
      tensor("a", "[0,4]") + "," + tensor("a", "[4,8]"), data: 8,
      "header: not valid JSON at byte 54: \"a\" appears twice"),
    Damage(
      "\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,4]}", data: 4,
      "header: not valid JSON at byte 20: \"dtype\" appears twice"),
    Damage(
      "\"__metadata__\":{},\"__metadata__\":{}",
      "header: not valid JSON at byte 19: \"__metadata__\" appears twice"),
    // Metadata.
    Damage("\"__metadata__\":[]", "__metadata__ is not an object"),
    Damage(
      "\"__metadata__\":{\"a\":1}", "__metadata__: the value of \"a\" is not a string"),
    // Descriptions.
    Damage("\"a\":1", "tensor \"a\": its description is not an object"),
    Damage("\"a\\nb\":1", "tensor \"a\\nb\": its description is not an object"),
    Damage("\"a\":{}", "tensor \"a\": dtype is missing"),
    Damage("\"a\":{\"dtype\":3}", "tensor \"a\": dtype is missing"),
    Damage("\"a\":{\"dtype\":\"F31\"}", "tensor \"a\": unknown dtype \"F31\""),
    Damage("\"a\":{\"dtype\":\"F32\"}", "tensor \"a\": shape is missing"),
    Damage(
      tensor("a", "F32", "[-1]", "[0,4]"), data: 4,
      "tensor \"a\": shape has an entry that is not a non-negative integer"),
    Damage(
      tensor("a", "F32", "[1.0]", "[0,4]"), data: 4,
      "tensor \"a\": shape has an entry that is not a non-negative integer"),
    Damage(
      tensor("a", "F32", "[99999999999999999999]", "[0,4]"), data: 4,
      "tensor \"a\": shape has an entry that is not a non-negative integer"),
    Damage(
      tensor("a", "F32", "[4294967296,4294967296]", "[0,0]"),
      "tensor \"a\": shape [4294967296, 4294967296] is too large for any file"),
    Damage(
      tensor("a", "F32", "[9223372036854775807]", "[0,0]"),
      "tensor \"a\": shape [9223372036854775807] is too large for any file"),
    Damage(
      tensor("a", "F4", "[3]", "[0,1]"), data: 1,
      "tensor \"a\": shape [3] of F4 does not end on a whole byte"),
    // Offsets.
    Damage(
      "\"a\":{\"dtype\":\"F32\",\"shape\":[1]}", data: 4,
      "tensor \"a\": data_offsets are not two non-negative integers"),
    Damage(
      tensor("a", "[0]"), data: 4, "tensor \"a\": data_offsets are not two non-negative integers"),
    Damage(
      tensor("a", "[-4,0]"), data: 4,
      "tensor \"a\": data_offsets are not two non-negative integers"),
    Damage(
      tensor("a", "[4,0]"), data: 4, "tensor \"a\": data_offsets [4, 0] run backwards"),
    Damage(
      tensor("a", "[0,8]"), data: 4,
      "tensor \"a\": data_offsets [0, 8] reach beyond the 4 bytes of data"),
    Damage(
      tensor("a", "[9223372036854775803,9223372036854775807]"), data: 4,
      "tensor \"a\": data_offsets [9223372036854775803, 9223372036854775807] reach beyond the 4 "
        + "bytes of data"),
    Damage(
      tensor("a", "F32", "[2,2]", "[0,12]"), data: 12,
      "tensor \"a\": data_offsets [0, 12] hold 12 bytes, but shape [2, 2] of F32 needs 16"),
    Damage(
      tensor("a", "F16", "[2]", "[0,8]"), data: 8,
      "tensor \"a\": data_offsets [0, 8] hold 8 bytes, but shape [2] of F16 needs 4"),
    // Coverage.
    Damage(
      tensor("a", "F32", "[2]", "[0,8]") + "," + tensor("b", "[4,8]"), data: 8,
      "tensors \"a\" and \"b\" overlap"),
    Damage(
      tensor("a", "[0,4]") + "," + tensor("b", "[0,4]"), data: 4,
      "tensors \"a\" and \"b\" overlap"),
    Damage(
      tensor("a", "F32", "[2]", "[0,8]") + "," + tensor("e", "F32", "[0]", "[4,4]"), data: 8,
      "tensors \"a\" and \"e\" overlap"),
    Damage(
      tensor("a", "[0,4]") + "," + tensor("b", "[8,12]"), data: 12,
      "4 bytes before tensor \"b\" belong to no tensor"),
    Damage(tensor("a", "[1,5]"), data: 5, "1 bytes before tensor \"a\" belong to no tensor"),
    Damage(tensor("a", "[0,4]"), data: 5, "1 bytes at the end belong to no tensor"),
    Damage("", data: 1, "1 bytes at the end belong to no tensor"),
  ]

  private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func tensor(_ name: String, _ offsets: String) -> String {
    SafetensorsBytes.tensor(name, "F32", "[1]", offsets)
  }

  @Test(arguments: damages)
  func damageIsNamed(damage: Damage) throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write(damage.bytes, to: "model.safetensors")
    #expect(throws: SpeculateError("\(plain.path): \(damage.problem)\(Self.tail)")) {
      try Checkpoint(file: plain)
    }
    // The same bytes, compressed, are as damaged; sizes are found out when data is read.
    let frame = try damage.bytes.withUnsafeBytes { try Zstd.compress($0) }
    let compressed = try folder.write(frame, to: "model.safetensors.zst")
    do {
      let checkpoint = try Checkpoint(file: compressed)
      for name in checkpoint.names { try checkpoint.withBytes(of: name) { _ in } }
      #expect(checkpoint.names.isEmpty && damage.problem.hasSuffix("belong to no tensor"))
    } catch let error as SpeculateError {
      #expect(error.description.hasPrefix("\(compressed.path): "))
      #expect(error.description.hasSuffix(Self.tail))
    }
  }

  /// What the format allows, though few write it.
  @Test(arguments: [
    "{}", "{}   \n", " {}", "{\"__metadata__\":null}", "{\"__metadata__\":{}}",
    "{\"e\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0],\"comment\":[1,{}]}}",
    "{\"e\":{\"data_offsets\":[0,0],\"shape\":[5,0,9223372036854775807],\"dtype\":\"F4\"}}",
  ])
  func oddFilesAreRead(header: String) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(SafetensorsBytes.make(header), to: "odd.safetensors")
    let checkpoint = try Checkpoint(file: file)
    #expect(checkpoint.metadata == [:])
    #expect(checkpoint.names.count == (header.contains("dtype") ? 1 : 0))
  }

  @Test func everyTypeOfTheFormatIsRecognised() throws {
    let folder = try TemporaryFolder()
    // Name and the bytes of 8 elements, from the format's reference implementation.
    let types: [(String, Int)] = [
      ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8),
      ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8),
      ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32),
      ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ]
    for (type, bytes) in types {
      let file = try folder.write(
        SafetensorsBytes.make(
          "{\(SafetensorsBytes.tensor("t", type, "[8]", "[0,\(bytes)]"))}", dataBytes: bytes),
        to: "t.safetensors")
      let checkpoint = try Checkpoint(file: file)
      #expect(checkpoint.storedType(of: "t")?.rawValue == type)
      #expect(checkpoint.shape(of: "t") == [8])
      #expect(try checkpoint.withBytes(of: "t") { $0.count } == bytes)
      if ElementType(rawValue: type) != nil {
        #expect(try checkpoint.floats("t", shape: [8]).count == 8)
      } else {
        #expect(
          throws: SpeculateError(
            "\(file.path): tensor \"t\" is \(type), which is not supported; convert the "
              + "checkpoint to F32, F16 or BF16")
        ) { try checkpoint.floats("t", shape: [8]) }
      }
    }
  }

  /// Files written by the reference library, version 0.8.0.
  @Test func filesOfTheReferenceLibraryAreRead() throws {
    let numpy =
      "GAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyLDqSI6InhcbnkiLCJmb3JtYXQiOiJucCJ9LCJpZHMiOnsiZHR5cGUiOi"
      + "JJNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlswLDE2XX0sImIud2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiw"
      + "ic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlsxNiw0MF19LCJzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOltd"
      + "LCJkYXRhX29mZnNldHMiOls0MCw0NF19LCJhIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOls0XSwiZGF0YV9vZmZzZ"
      + "XRzIjpbNDQsNTJdfX0gICAgICAgAwAAAAAAAAD//////////wAAAAAAAIA+AAAAPwAAQD8AAIA/AACgPwAA4EAAPg"
      + "DA/3sBAA=="
    let torch =
      "QAAAAAAAAAB7InciOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOlsyLDJdLCJkYXRhX29mZnNldHMiOlswLDhdfX0gIC"
      + "AgICAggD8Av0lASnE="
    let folder = try TemporaryFolder()
    let first = try Checkpoint(
      file: folder.write(try #require(Data(base64Encoded: numpy)), to: "numpy.safetensors"))
    #expect(first.metadata == ["format": "np", "é": "x\ny"])
    #expect(first.names == ["a", "b.weight", "ids", "s"])
    func values(_ checkpoint: Checkpoint, _ name: String, _ shape: [Int]) throws -> [Float] {
      try checkpoint.floats(name, shape: shape).values
    }
    #expect(try values(first, "a", [4]) == [1.5, -2, 65504, 0x1p-24])
    #expect(try values(first, "b.weight", [2, 3]) == [0, 0.25, 0.5, 0.75, 1, 1.25])
    #expect(try values(first, "s", []) == [7])
    let second = try Checkpoint(
      file: folder.write(try #require(Data(base64Encoded: torch)), to: "torch.safetensors"))
    #expect(try values(second, "w", [2, 2]) == [1, -0.5, 3.140625, 1.0002555517425873e+30])
  }
}
