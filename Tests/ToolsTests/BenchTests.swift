import Foundation
import Tensors
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
      #expect(try #require(reading["bandwidth_gbs"] as? Double) > 0)
    }
    let machine = try #require(object["machine"] as? [String: Any])
    #expect(machine["threads"] as? Int == 2)
    let distances = try #require(machine["core_distance_ns"] as? [Double])
    #expect(distances.count == 2 && distances.allSatisfy { $0 > 0 })
    let names = ["portable", "avx2", "avx512", "avx512bf16"]
    let sets = names + names.map { $0 + "+vnni" }
    #expect(sets.contains(machine["instruction_set"] as? String ?? ""))
  }

  @Test func memoryInWords() throws {
    let (result, pair) = try run(["memory", "--rounds", "1", "--threads", "2"])
    defer { pair.remove() }
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines[0].contains(" | 2 threads, cores "))
    #expect(lines[1] == "embedded target, f32, weights 96.3 kB")
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
    let decoded = try #require(object["decode_gbs"] as? Double)
    #expect(abs(decoded - rate * Double(weightBytes) / 1e9) < 1e-9 * decoded.magnitude + 1e-12)
    #expect(try #require(object["bandwidth_gbs"] as? Double) > 0)
    #expect(try #require(object["bandwidth_fraction"] as? Double) > 0)
    #expect(object["rounds"] as? Int == 3)
  }

  @Test func wideningAPassIsMeasuredAgainstOneRow() throws {
    let (result, pair) = try run(
      ["forward", "--rounds", "2", "--rows", "1,4,16", "--threads", "2", "--json"])
    defer { pair.remove() }
    #expect(result.status == 0)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["weight_bytes"] as? Int == weightBytes)
    #expect(object["weights"] as? String == "f32")
    #expect(object["context"] as? Int == 112)  // what a context of 128 leaves beside 16 rows
    let passes = try #require(object["passes"] as? [[String: Any]])
    #expect(passes.map { $0["rows"] as? Int } == [1, 4, 16])
    #expect(passes[0]["ratio"] as? Double == 1)
    for pass in passes {
      #expect(try #require(pass["ratio"] as? Double) > 0)
      let seconds = try #require(pass["milliseconds"] as? Double) / 1e3
      let rows = try #require(pass["rows"] as? Int)
      // 261 of the head's 272 packed rows are real.
      let operations = 2 * rows * (weightBytes / 4 - 11 * 32)
      let rate = try #require(pass["gflops"] as? Double)
      #expect(abs(rate - Double(operations) / seconds / 1e9) < 1e-9 * rate)
    }
  }

  @Test func productsAreMeasuredInEveryFormat() throws {
    let (result, pair) = try run(
      ["matmul", "--matrix", "2048x1024", "--rounds", "1", "--rows", "1,2", "--json"])
    defer { pair.remove() }
    #expect(result.status == 0)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["matrix"] as? [Int] == [2048, 1024])
    let products = try #require(object["products"] as? [[String: Any]])
    let formats = WeightFormat.allCases.map(\.rawValue)
    #expect(products.map { $0["format"] as? String } == formats.flatMap { [$0, $0] })
    #expect(products.map { $0["rows"] as? Int } == formats.flatMap { _ in [1, 2] })
    for product in products {
      for key in ["ratio", "bandwidth_gbs", "bandwidth_fraction", "gflops", "microseconds"] {
        #expect(try #require(product[key] as? Double) > 0)
      }
    }
  }

  @Test func theTargetCanBeHeldInAnotherFormat() throws {
    let (result, pair) = try run(["memory", "--rounds", "1", "--weights", "bf16", "--json"])
    defer { pair.remove() }
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["weights"] as? String == "bf16")
    #expect(object["weight_bytes"] as? Int == weightBytes / 2)
  }

  @Test func tokensBeyondTheContextAreAnError() throws {
    let (result, pair) = try run(["decode", "--tokens", "200"])
    defer { pair.remove() }
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: ") && result.errors.contains("202"))
  }
}
