import Files
import Foundation
import TestSupport
import Testing

/// Damaged GGUF files must be refused with one line or load whole; nothing in between, and no trap.
@Suite struct GGUFDamageTests {
  /// A damaged file and what is said of it.
  struct Damage: CustomTestStringConvertible, Sendable {
    let bytes: [UInt8]
    let problem: String
    var testDescription: String { problem }

    init(_ problem: String, cut: Int? = nil, _ change: (inout GGUFBytes) -> Void) {
      var file = GGUFBytes()
      change(&file)
      bytes = cut.map { Array(file.bytes.prefix($0)) } ?? file.bytes
      self.problem = problem
    }
  }

  private static let tail = "; the file is damaged or incomplete: download or convert it again"
  private static func number(_ value: some FixedWidthInteger) -> [UInt8] { GGUFBytes.number(value) }

  static let damages: [Damage] = [
    Damage("is no GGUF file; check the path") { $0.magic = Array("GGUG".utf8) },
    Damage("is no GGUF file; check the path", cut: 20) { _ in },
    Damage("is of GGUF version 1, which is not read; convert the model again") { $0.version = 1 },
    Damage("is a big-endian GGUF file, which is not read; convert the model again") {
      $0.version = UInt32(3).byteSwapped
    },
    Damage("is of GGUF version 4, but 2 and 3 are read; convert the model again") {
      $0.version = 4
    },
    Damage("18446744073709551615 tensors don't fit into the 8 bytes that follow" + tail) {
      $0.tensorCount = .max
    },
    Damage("9000000000 metadata keys don't fit into the 8 bytes that follow" + tail) {
      $0.keyCount = 9_000_000_000
    },
    Damage("metadata key 1: its name has 0 bytes, but 1 to 65535 are allowed" + tail) {
      $0.keys = [GGUFBytes.key("", 7, [1])]
    },
    Damage("metadata key 1: a string is not UTF-8" + tail) {
      $0.keys = [number(UInt64(1)) + [0xFF] + number(UInt32(7)) + [1]]
    },
    Damage(
      "metadata key 1: a string of 18446744073709551615 bytes is longer than the 64 that follow"
        + tail
    ) {
      $0.keys = [number(UInt64.max) + number(UInt32(7)) + [1]]; $0.data = 32
    },
    Damage("metadata key \"a\": there is no type 13 of values" + tail) {
      $0.keys = [GGUFBytes.key("a", 13, [1])]
    },
    Damage("metadata key \"a\": 2 is neither true nor false" + tail) {
      $0.keys = [GGUFBytes.key("a", 7, [2])]
    },
    Damage("metadata key \"a\": the file ends in the middle of it" + tail, cut: 39) {
      $0.keys = [GGUFBytes.key("a", 10, [2])]
    },
    Damage(
      "metadata key \"a\": 4611686018427387904 values of an array don't fit into the 15 bytes "
        + "that follow" + tail
    ) { $0.keys = [GGUFBytes.key("a", 9, number(UInt32(10)) + number(UInt64(1) << 62))] },
    Damage("metadata key \"a\": arrays are nested more than 8 deep" + tail) {
      let array = number(UInt32(9)) + number(UInt64(1))
      $0.keys = [GGUFBytes.key("a", 9, (0..<9).flatMap { _ in array })]
    },
    Damage("metadata key \"a\" appears twice" + tail) {
      $0.keys = [GGUFBytes.key("a", 7, [1]), GGUFBytes.key("a", 7, [1])]
    },
    Damage("metadata key \"general.alignment\" is not a power of two up to 2^30" + tail) {
      $0.keys = [GGUFBytes.key("general.alignment", 4, number(UInt32(24)))]
    },
    Damage("tensor \"t\": has 5 dimensions, but at most 4 are allowed" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1, 1, 1, 1, 1])]
    },
    Damage("tensor \"t\": has 4294967295 dimensions, but at most 4 are allowed" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1], dimensions: .max)]
    },
    Damage(
      "tensor \"t\": there is no type 4 of tensors, or it is newer than this program" + tail
    ) { $0.tensors = [GGUFBytes.tensor("t", [1], 4)] },
    Damage("tensor \"t\": its shape is too large" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1 << 40, 1 << 40])]
    },
    Damage("tensor \"t\": its shape is too large" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [.max])]
    },
    Damage("tensor \"t\": its shape is too large" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1 << 62])]
    },
    Damage(
      "tensor \"t\": its rows of 33 are no whole blocks of Q4_1, which have 32 columns" + tail
    ) { $0.tensors = [GGUFBytes.tensor("t", [33, 2], 3)] },
    Damage("tensor \"t\": begins at 4, which is no multiple of 32" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1], at: 4)]
    },
    Damage("tensor \"t\": its 4 bytes from 32 on end behind the file" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1], at: 32)]
      $0.data = 32
    },
    Damage("tensor \"t\": its 40 bytes from 0 on end behind the file" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [10])]
      $0.data = 39
    },
    Damage("tensor \"t\": its 4 bytes from 18446744073709551584 on end behind the file" + tail) {
      $0.tensors = [GGUFBytes.tensor("t", [1], at: .max - 31)]
      $0.data = 64
    },
    Damage("tensors \"a\" and \"b\" overlap" + tail) {
      $0.tensors = [GGUFBytes.tensor("b", [16], at: 32), GGUFBytes.tensor("a", [9])]
      $0.data = 128
    },
    Damage("tensor \"a\" appears twice" + tail) {
      $0.tensors = [GGUFBytes.tensor("a", [1]), GGUFBytes.tensor("a", [1], at: 32)]
      $0.data = 64
    },
    Damage(
      "split.count and split.no don't name one of several parts; download or split the model again"
    ) {
      $0.keys = [
        GGUFBytes.key("split.count", 2, number(UInt16(3))),
        GGUFBytes.key("split.no", 2, number(UInt16(3))),
      ]
    },
  ]

  @Test(arguments: damages) func damagedFiles(_ damage: Damage) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(damage.bytes, to: "damaged.gguf")
    let error = try #require(#expect(throws: SpeculateError.self) { _ = try GGUFFile(url: url) })
    #expect(error.description == "\(url.path): \(damage.problem)")
  }

  @Test func emptyTensorsAndGapsAreAllowed() throws {
    let folder = try TemporaryFolder()
    var file = GGUFBytes()
    file.version = 2
    file.tensors = [
      GGUFBytes.tensor("a", [4], at: 64), GGUFBytes.tensor("empty", [0], at: 64),
      GGUFBytes.tensor("scalar", []), GGUFBytes.tensor("odd", [32, 2], 20, at: 96),
    ]
    file.data = 96 + 36
    let opened = try GGUFFile(url: folder.write(file.bytes, to: "a.gguf"))
    #expect(opened.tensor("scalar")?.shape == [] && opened.tensor("empty")?.shape == [0])
    #expect(opened.tensor("odd")?.type.name == "IQ4_NL")
  }

  /// Opens a file and reads every value of it.
  ///
  /// - Returns: Whether it loaded.
  private func loads(_ url: URL) -> Bool {
    do {
      let file = try GGUFFile(url: url)
      for name in file.names {
        #expect(try file.withBytes(of: name) { $0.reduce(0) { $0 &+ Int($1) } } >= 0)
      }
      for value in file.metadata.values {
        #expect(value == value || value.number?.isNaN == true || value.array != nil)
        if let array = value.array { #expect(array.elements.count == array.count) }
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

  @Test func mutatedFiles() throws {
    let folder = try TemporaryFolder()
    let good = Array(
      try Data(contentsOf: GGUFFileTests.fixtures.appending(path: "small.gguf")))
    let url = folder.file("a.gguf")
    var random = SplitMix(seed: 3)
    var loaded = 0
    let rounds = fuzzRounds(4000)
    for _ in 0..<rounds {
      // The header, where the mistakes are; the data stays.
      var header = Array(good[..<1100])
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&header, &random) }
      try Data(header + good[1100...]).write(to: url)
      if loads(url) { loaded += 1 }
    }
    #expect(loaded > 100 && loaded < rounds * 7 / 8, "\(loaded) of \(rounds) loaded")
  }
}
