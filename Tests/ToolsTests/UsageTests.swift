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
    (
      ["generate", "--promt", "x"],
      "Unknown option '--promt'. Did you mean '--prompt'?; see 'speculate generate --help'"
    ),
    (
      ["distill", "--target", "x", "--layer", "3"],
      "Unknown option '--layer'. Did you mean '--layers'?; see 'speculate distill train --help'"
    ),
    (
      ["pretrain", "--steps", "-1", "--tokens", "x", "--output", "y"],
      "--steps -1 is out of range: use 1 or more; see 'speculate pretrain --help'"
    ),
    (
      ["pretrain", "--tokens", "x", "--output", ""],
      "--output is empty: leave it out, or give a value; see 'speculate pretrain --help'"
    ),
    (
      ["convert", "x", "", "--weights", "int8"],
      "an argument is empty: leave it out, or give what it stands for; see 'speculate convert --help'"
    ),
    (
      ["analyze", "run", "--prompts", "x", "--trace", "t.jsonl", "--temperature", "-1"],
      "--temperature -1 is out of range: give no negative number; see 'speculate analyze run --help'"
    ),
    (
      ["convert", "x", "y", "--weights", "int8", "--perplexity-tokens", "9"],
      "--perplexity-tokens belongs to --perplexity: give it too; see 'speculate convert --help'"
    ),
    (
      ["convert", "x", "y", "--weights", "int8", "--threads", "2"],
      "--threads belongs to --perplexity: give it too; see 'speculate convert --help'"
    ),
    (
      ["generate", "--prompt", "x", "--drafter", "suffix", "--draft-choice", "argmax"],
      "--draft-choice means nothing with --drafter suffix: leave one of them out; see "
        + "'speculate generate --help'"
    ),
    (
      [
        "distill", "--target", "x", "--data", "y", "--output", "z", "--init", "d",
        "--draft-vocabulary", "9",
      ],
      "--draft-vocabulary means nothing with --init and a drafter, which has its own: leave one of "
        + "them out; see 'speculate distill train --help'"
    ),
    (
      ["force", "--target", "x", "--trajectories-from", "y", "--output", "z", "--memory", "1"],
      "--memory belongs to --divergence: give it too; see 'speculate force train --help'"
    ),
    (
      ["distill", "--target", "x", "--responses-from", "y", "--output", "z", "--temperature", "1"],
      "--temperature means nothing with --responses-from: leave one of them out; see "
        + "'speculate distill train --help'"
    ),
    (
      ["bench", "decode", "--prompt-file", "x", "--drafter", "suffix", "--drafter-weights", "f32"],
      "--drafter-weights means nothing with --drafter suffix: leave one of them out; see "
        + "'speculate bench decode --help'"
    ),
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
      "The value 'best' is invalid for '--draft-choice <rule>'. Please provide one of 'argmax', "
        + "'coupled' or 'sampled'"
    ),
    (["--limit", "0"], "--limit 0 is out of range: use 1 or more"),
    (["--prompt", "b"], "--prompt is given twice: give it once"),
    (["--seed", "1", "--seed=2"], "--seed is given twice: give it once"),
    (
      ["--drafter", "none", "--draft-length", "5"],
      "--draft-length means nothing with --drafter none: leave one of them out"
    ),
    (
      ["--drafter", "suffix", "--branches", "2"],
      "--branches means nothing with --drafter suffix: leave one of them out"
    ),
    (
      ["--draft-length", "5", "--branches", "2"],
      "--draft-length drafts chains of one length: leave --branches 2 out"
    ),
    (["--branches", "9"], "--branches 9 is out of range: use 0 to 8"),
    (["--json", "--stats"], "--stats means nothing with --json: leave one of them out"),
    (
      ["--top-k", "5"],
      "--top-k, --top-p and --min-p mean nothing at --temperature 0: give another, or leave them out"
    ),
    (
      ["--suffix", "--no-suffix"],
      "Value to be set with flag '--no-suffix' had already been set with flag '--suffix'"
    ),
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
      "--draft-length, --draft-choice, --branches, --denoising and --recycling belong to --decoder draft: leave them out"
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

  @Test func theVersionIsTold() throws {
    let result = try speculate("--version")
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }
}
