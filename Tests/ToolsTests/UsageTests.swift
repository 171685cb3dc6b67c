import Testing

/// Command lines that can't be understood: one line that says why, and exit code 64.
@Suite struct UsageTests {
  private func expectUsageError(
    _ arguments: [String], _ message: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try CommandProcess(arguments).wait()
    #expect(result.status == 64, sourceLocation: sourceLocation)
    #expect(result.errors == "error: \(message)\n", sourceLocation: sourceLocation)
    #expect(result.output == "", sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    (["--nonsense"], "Unknown option '--nonsense'; see 'speculate --help'"),
    (["nonsense"], "Unexpected argument 'nonsense'; see 'speculate --help'"),
    (["bench", "nonsense"], "Unexpected argument 'nonsense'; see 'speculate bench --help'"),
    (
      ["bench", "memory", "--rounds", "0"],
      "--rounds 0 is out of range: use 1 to 10000; see 'speculate bench memory --help'"
    ),
    (
      ["bench", "decode", "--tokens", "0"],
      "--tokens 0 is out of range: use 1 to 100000; see 'speculate bench decode --help'"
    ),
    (
      ["bench", "forward", "--context", "0"],
      "--context 0 is out of range: use 1 to 1000000; see 'speculate bench forward --help'"
    ),
    (
      ["bench", "forward", "--rows", "1,x"],
      "The value '1,x' is invalid for '--rows <n,n,…>'; see 'speculate bench forward --help'"
    ),
    (
      ["bench", "matmul", "--matrix", "16"],
      "The value '16' is invalid for '--matrix <rowsxcolumns>'; see 'speculate bench matmul --help'"
    ),
    (
      ["bench", "memory", "--shape", "qwen3-0.6b", "--target", "x"],
      "--shape and --target name two models: give one of them; see 'speculate bench memory --help'"
    ),
  ])
  func wordsThatMeanNothing(arguments: [String], message: String) throws {
    try expectUsageError(arguments, message)
  }

  @Test(arguments: [
    (["--threads", "0"], "--threads 0 is out of range: use 1 to 256"),
    (["--threads", "-3"], "--threads -3 is out of range: use 1 to 256"),
    (["--threads", "257"], "--threads 257 is out of range: use 1 to 256"),
    (["--threads", "two"], "The value 'two' is invalid for '--threads <n>'"),
    (["--threads"], "Missing value for '--threads <n>'"),
    (
      ["--temperature", "-1"],
      "temperature -1.0 is out of range: use 0 for greedy decoding, or 0.01 to 100"
    ),
    (
      ["--temperature", "nan"],
      "temperature nan is out of range: use 0 for greedy decoding, or 0.01 to 100"
    ),
    (["--temperature", "warm"], "The value 'warm' is invalid for '--temperature <t>'"),
    (["--top-k", "-1"], "top-k -1 is out of range: use 1 or more, or 0 to keep all tokens"),
    (
      ["--top-p", "1.5"],
      "top-p 1.5 is out of range: use more than 0 and at most 1 (1 keeps all tokens)"
    ),
    (["--min-p", "2"], "min-p 2.0 is out of range: use 0 to 1 (0 keeps all tokens)"),
    (
      ["--repetition-penalty", "0"],
      "repetition penalty 0.0 is out of range: use 0.1 to 10 (1 is none)"
    ),
    (["--max-tokens", "0"], "max tokens 0 is out of range: use 1 or more"),
    (
      ["--max-tokens", "99999999999999999999"],
      "The value '99999999999999999999' is invalid for '--max-tokens <n>'"
    ),
    (["--seed", "-1"], "The value '-1' is invalid for '--seed <n>'"),
    (["--stop", ""], "a stop string is empty: give at least one character"),
    (["--draft-length", "0"], "--draft-length 0 is out of range: use 1 or more"),
    (
      ["--draft-choice", "best"],
      "The value 'best' is invalid for '--draft-choice <rule>'. Please provide one of 'argmax' and "
        + "'coupled'"
    ),
    (["--limit", "0"], "--limit 0 is out of range: use 1 or more"),
    (["--repeats", "3"], "--repeats belongs to --compare: give both"),
    (["--compare", "--repeats", "0"], "--repeats 0 is out of range: use 1 to 1000"),
    (["--compare", "--drafter", "none"], "--compare needs a drafter: leave out --drafter none"),
    (
      ["--drafter", "suffix", "--no-suffix"],
      "--no-suffix leaves --drafter suffix without drafts: drop one of them"
    ),
    (
      ["--decoder", "jacobi", "--drafter", "suffix"],
      "--decoder jacobi uses no drafter: leave out --drafter"
    ),
    (
      ["--decoder", "jacobi", "--draft-length", "3"],
      "--draft-length, --draft-choice and --recycling belong to --decoder draft: leave them out"
    ),
    (
      ["--jacobi-pool", "3"],
      "the --jacobi options belong to --decoder jacobi: give it too"
    ),
    (
      ["--decoder", "jacobi", "--jacobi-block", "1"],
      "Jacobi block 1 is out of range: use 2 to 1024"
    ),
    (
      ["--decoder", "guess"],
      "The value 'guess' is invalid for '--decoder <decoder>'. Please provide one of 'draft' and "
        + "'jacobi'"
    ),
    (
      ["--prompt-file", "b"],
      "There are several prompts: give one of --prompt, --prompt-file and -"
    ),
    (["b"], "Unexpected argument 'b': give the prompt with --prompt"),
  ])
  func optionsOfGenerateThatMakeNoSense(arguments: [String], message: String) throws {
    try expectUsageError(
      ["generate", "--prompt", "a"] + arguments, "\(message); see 'speculate generate --help'")
  }

  @Test func aGenerationWithoutAPrompt() throws {
    try expectUsageError(
      ["generate"],
      "There is no prompt: give --prompt, --prompt-file or -; see 'speculate generate --help'")
  }
}
