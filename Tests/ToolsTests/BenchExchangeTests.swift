import Testing

/// Networks that can't be, and those that have nobody to slow.
@Suite struct BenchExchangeTests {
  @Test(arguments: [
    (
      ["--link-gbit", "0"], "--link-gbit 0.0 is out of range: use 0.001 to 10000.0"
    ),
    (
      ["--link-gbit", "nan"], "--link-gbit nan is out of range: use 0.001 to 10000.0"
    ),
    (
      ["--link-latency", "-1"], "--link-latency -1.0 is out of range: use 0.0 to 1000000.0"
    ),
    (
      ["--link-latency", "inf"], "--link-latency inf is out of range: use 0.0 to 1000000.0"
    ),
    (
      ["--link-gbit", "1"],
      "--link-gbit slows messages between ranks, and there is one: start with mpirun -np 2 or more, or "
        + "leave it out"
    ),
    (
      ["--link-latency", "20"],
      "--link-latency slows messages between ranks, and there is one: start with mpirun -np 2 or more, "
        + "or leave it out"
    ),
  ])
  func `a network that makes no sense is refused`(options: [String], error: String) throws {
    let result = try CommandProcess(["bench", "exchange"] + options).wait()
    #expect(result.status == 64)
    #expect(result.errors.hasPrefix("error: \(error); see 'speculate "), "\(result.errors)")
  }
}
