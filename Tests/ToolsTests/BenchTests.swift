import Foundation
import Testing

/// That the measurements run and say what they measured; how fast anything is, no test decides.
@Suite struct BenchTests {
  private func run(_ arguments: [String]) throws -> (CommandResult, TinyPair) {
    let pair = try TinyPair()
    let result = try CommandProcess(
      ["bench"] + arguments, environment: ["SPECULATE_WEIGHTS": pair.folder.path]
    ).wait()
    return (result, pair)
  }

  /// Bytes of the tiny target's matrices: rows in panels of sixteen, the head's 261 in 17.
  private let weightBytes = 4 * (2 * 32 * (32 + 16 + 16 + 32 + 3 * 48) + 17 * 16 * 32)

  @Test func memoryReadsAllWeights() throws {
    let (result, pair) = try run(["memory", "--rounds", "2", "--threads", "2", "--json"])
    defer { pair.remove() }
    #expect(result.status == 0)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["weight_bytes"] as? Int == weightBytes)
    #expect(object["rounds"] as? Int == 2)
    let readings = try #require(object["read"] as? [[String: Any]])
    #expect(readings.map { $0["threads"] as? Int } == [1, 2])
    for reading in readings {
      #expect(try #require(reading["gigabytes_per_second"] as? Double) > 0)
    }
    let machine = try #require(object["machine"] as? [String: Any])
    #expect(machine["threads"] as? Int == 2)
    let sets = ["portable", "avx2", "avx512", "avx512bf16"]
    #expect(sets.contains(machine["instruction_set"] as? String ?? ""))
  }

  @Test func memoryInWords() throws {
    let (result, pair) = try run(["memory", "--rounds", "1", "--threads", "2"])
    defer { pair.remove() }
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines[0].hasSuffix(" | 2 threads"))
    #expect(lines[1] == "weights 96.3 kB, f32")
    #expect(lines[2].hasPrefix("read by 1 thread: "))
    #expect(lines[3].hasPrefix("read by 2 threads: "))
  }

  @Test func decodingIsMeasuredAgainstReading() throws {
    let (result, pair) = try run(
      ["decode", "--rounds", "3", "--tokens", "20", "--threads", "1", "--json"])
    defer { pair.remove() }
    #expect(result.status == 0)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let rate = try #require(object["tokens_per_second"] as? Double)
    let decoded = try #require(object["decode_gigabytes_per_second"] as? Double)
    #expect(abs(decoded - rate * Double(weightBytes) / 1e9) < 1e-9 * decoded.magnitude + 1e-12)
    #expect(try #require(object["read_gigabytes_per_second"] as? Double) > 0)
    #expect(try #require(object["share"] as? Double) > 0)
    #expect(object["rounds"] as? Int == 3)
  }

  @Test func tokensBeyondTheContextAreAnError() throws {
    let (result, pair) = try run(["decode", "--tokens", "200"])
    defer { pair.remove() }
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: ") && result.errors.contains("216"))
  }
}
