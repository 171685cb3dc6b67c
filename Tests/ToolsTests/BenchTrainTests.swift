import Analysis
import Foundation
import Testing

@Suite struct BenchTrainTests {
  private let sizes = [
    "--vocabulary", "61", "--hidden", "16", "--intermediate", "24", "--layers", "2", "--heads", "4",
    "--kv-heads", "2", "--head-dim", "8", "--length", "20", "--batch", "3",
  ]

  @Test func aStepIsMeasuredAgainstALargeProduct() throws {
    let temporary = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: temporary) }
    let result = try CommandProcess(
      ["bench", "train", "--rounds", "2", "--threads", "2", "--json"] + sizes,
      environment: ["TMPDIR": temporary.path]
    ).wait()
    #expect(result.status == 0, "\(result.errors)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    func number(_ name: String) throws -> Double {
      try #require(object[name] as? Double, "\(name)")
    }
    let matrices = 61 * 16 + 2 * (16 * (32 + 2 * 16) + 32 * 16 + 3 * 16 * 24)
    let norms = 2 * (2 * 16 + 2 * 8) + 16
    #expect(object["parameters"] as? Int == matrices + norms)
    #expect(object["rounds"] as? Int == 2)
    #expect(object["batch"] as? Int == 3)
    #expect(object["length"] as? Int == 20)
    #expect((object["machine"] as? [String: Any])?["threads"] as? Int == 2)
    #expect(try #require(object["blas_core"] as? String) != "")
    #expect(try #require(object["kernels"] as? String) != "")
    #expect(["f32", "bf16"].contains(try #require(object["precision"] as? String)))

    let (rate, seconds) = (try number("tokens_per_second"), try number("seconds_per_step"))
    #expect(abs(rate * seconds - 60) < 1e-6)
    let weights = 6.0 * Double(matrices) * 60
    // Of each sequence's 20 queries, the first sees one key and the last 20.
    let attention = 12.0 * Double(3 * 210 * 2 * 32)
    #expect(abs(try number("weight_gflops") * seconds * 1e9 - weights) < 1e-6 * weights)
    #expect(abs(try number("gflops") * seconds * 1e9 - weights - attention) < 1e-6 * weights)
    #expect(try number("peak_gflops") > 0)
    let fraction = try number("peak_fraction")
    #expect(fraction > 0 && fraction < 1)
    let spread = try #require(object["tokens_per_second_spread"] as? [String: Double])
    #expect(try #require(spread["least"]) <= rate && rate <= (try #require(spread["greatest"])))
    // The random tokens are gone.
    #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path).isEmpty)
  }

  @Test(arguments: ["f32", "bf16"])
  func inWords(precision: String) throws {
    let result = try CommandProcess(
      ["bench", "train", "--rounds", "1", "--threads", "1", "--precision", precision] + sizes
    ).wait()
    #expect(result.status == 0)
    let lines = result.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 6)
    #expect(lines[0].contains(" | 1 thread | products: "))
    #expect(lines[1] == "6,464 parameters, \(precision), 3 × 20 tokens a step")
    #expect(lines[2].hasPrefix("training: "))
    #expect(lines[5].hasSuffix(" % of it (median of 1 measurement)"))
  }

  @Test(arguments: [
    (["--kv-heads", "4"], "6 heads can't share 4 key/value heads evenly"),
    (["--head-dim", "3"], "give an even number"), (["--batch", "0"], "--batch 0 is out of range"),
    (["--length", "70000"], "--length 70000 is out of range: use 1 to 65536"),
    (["--micro-batch", "-1"], "--micro-batch -1 is out of range"),
    (["--rounds", "0"], "use 1 to 10000"),
    (["--precision", "f16"], "'f16'"),
  ])
  func sizesThatCannotBe(arguments: [String], complaint: String) throws {
    let result = try CommandProcess(["bench", "train"] + arguments).wait()
    #expect(result.status == 64)
    #expect(result.errors.contains(complaint), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test func aTemporaryFolderThatCannotBeWritten() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "file")
    try Data().write(to: file)
    let result = try CommandProcess(
      ["bench", "train", "--rounds", "1"] + sizes, environment: ["TMPDIR": file.path]
    ).wait()
    #expect(result.status == 1)
    #expect(result.errors.contains("\nerror: can't write random tokens to \(file.path)/"))
    #expect(result.errors.hasSuffix("; set TMPDIR to a folder with room\n"))
  }
}
