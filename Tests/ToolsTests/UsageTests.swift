import Testing

@Suite struct UsageTests {
  @Test(arguments: [
    (["--nonsense"], "error: Unknown option '--nonsense'; see 'speculate --help'\n"),
    (["nonsense"], "error: Unexpected argument 'nonsense'; see 'speculate --help'\n"),
  ])
  func mistakesInTheCommandLineEndWith64(arguments: [String], message: String) throws {
    let result = try CommandProcess(arguments).wait()
    #expect(result.status == 64)
    #expect(result.errors == message)
    #expect(result.output == "")
  }
}
