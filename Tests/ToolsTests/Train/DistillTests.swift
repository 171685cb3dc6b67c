import Foundation
import TestSupport
import Testing

/// `speculate distill data` and what learns from it.
@Suite struct DistillTests {
  private let pair: TinyPair
  private let data: [String]

  init() throws {
    pair = try TinyPair()
    data = try pair.promptFlags()
  }

  private func distill(_ arguments: [String], to output: String) throws -> CommandResult {
    try CommandProcess(
      ["distill"] + arguments + ["--output", pair.folder.appending(path: output).path]
    ).wait()
  }

  private let sizes = [
    "--layers", "1", "--block-size", "4", "--mask-token", "\(TinyTokenizer.mask)", "--steps", "3",
    "--draft-vocabulary", "50",
  ]

  @Test func responsesServeSeveralTrainings() throws {
    defer { pair.remove() }
    let made = try distill(["data"] + data + ["--responses", "20"], to: "answers")
    #expect(made.status == 0 && made.output == "")
    #expect(made.errors.contains("20 responses of "))
    let answers = pair.folder.appending(path: "answers").path
    let learnt = try distill(
      ["--target", pair.target.path, "--responses-from", answers] + sizes, to: "one")
    #expect(learnt.status == 0, "\(learnt.errors)")
    let both = try distill(["train"] + data + ["--responses", "20"] + sizes, to: "two")
    #expect(both.status == 0, "\(both.errors)")
    for file in ["model.safetensors", "config.json"] {
      #expect(
        try Data(contentsOf: pair.folder.appending(path: "one/\(file)"))
          == Data(contentsOf: pair.folder.appending(path: "two/\(file)")))
    }
  }

  /// Real tokenizers have no `<mask>`; a token that no text has stands for it, by itself or by name.
  @Test func aSpareTokenMasks() throws {
    defer { pair.remove() }
    let few = ["--layers", "1", "--block-size", "4", "--steps", "2", "--draft-vocabulary", "50"]
    let arguments = data + ["--responses", "8"] + few
    let own = try distill(arguments, to: "own")
    #expect(own.status == 0 && !own.errors.contains("mask token"), "\(own.errors)")
    func mask(_ folder: String) throws -> Int? {
      let file = pair.folder.appending(path: "\(folder)/config.json")
      let text = try String(contentsOf: file, encoding: .utf8)
      return text.firstMatch(of: /"mask_token_id"\s*:\s*(\d+)/).flatMap { Int($0.1) }
    }
    #expect(try mask("own") == TinyTokenizer.mask)
    let named = try distill(arguments + ["--mask-token", "</s>"], to: "named")
    #expect(named.status == 0, "\(named.errors)")
    #expect(try mask("named") == TinyTokenizer.end)
    let wrong = try distill(arguments + ["--mask-token", "<none>"], to: "wrong")
    #expect(wrong.errors.contains("--mask-token <none>: the target's tokenizer spells no token so"))
    // The same tokenizer without <mask>.
    let reserved = SentencePieceModelBuilder(
      words: ["\u{2581}"], extra: [("<reserved_0>", .control)]
    ).data
    try reserved.write(to: pair.target.appending(path: "tokenizer.model"))
    let spare = try distill(arguments, to: "spare")
    #expect(spare.status == 0, "\(spare.errors)")
    #expect(try mask("spare") == 3)
    #expect(
      spare.errors.contains(
        "the tokenizer has no mask: <reserved_0> (3), which it reserves, stands for drafts to be made\n"
      ), "\(spare.errors)")
  }

  @Test func storedFeaturesAreReadByTrainings() throws {
    defer { pair.remove() }
    let answers = pair.folder.appending(path: "answers").path
    let flags = ["--responses", "20", "--store-taps", "1,0", "--store-log-probabilities", "3"]
    let made = try distill(["data"] + data + flags, to: "answers")
    #expect(made.status == 0 && made.output == "", "\(made.errors)")
    #expect(made.errors.hasSuffix("their features are in \(answers)/features\n"))
    #expect(made.errors.contains("20/20 responses"))
    let again = try distill(["data"] + data + flags, to: "answers")
    #expect(again.status == 0, "\(again.errors)")

    let arguments = ["--target", pair.target.path, "--responses-from", answers] + sizes
    let stored = try distill(arguments + ["--target-layers", "1"], to: "stored")
    #expect(stored.status == 0, "\(stored.errors)")
    #expect(stored.errors.contains("features of 20 of 20 responses are read from shards\n"))

    let refused = try distill(["data"] + data + ["--responses", "20"], to: "answers")
    #expect(refused.status == 1)
    #expect(
      refused.errors
        == "error: \(answers)/features was made with --store-taps 0,1 --store-log-probabilities 3: "
        + "give just that, another --output, or delete it\n")
    try FileManager.default.removeItem(atPath: "\(answers)/features")
    let computed = try distill(arguments + ["--target-layers", "1"], to: "computed")
    #expect(computed.status == 0 && !computed.errors.contains("features of"))
    #expect(
      try Data(contentsOf: pair.folder.appending(path: "stored/model.safetensors"))
        == Data(contentsOf: pair.folder.appending(path: "computed/model.safetensors")))
  }

  /// A drafter that sees tokens serves the target that it was made for, and one of another depth.
  @Test func aDrafterThatSeesTokensServesSeveralTargets() throws {
    defer { pair.remove() }
    let learnt = try distill(
      data + sizes + ["--responses", "20", "--kind", "tokens", "--markov-rank", "4"], to: "tokens")
    #expect(learnt.status == 0, "\(learnt.errors)")
    #expect(learnt.errors.contains("sees tokens alone, with the target's embedding"))
    let drafter = pair.folder.appending(path: "tokens").path
    var deeper = TinyPair.Sizes()
    deeper.layers = 3
    let other = try TinyPair(deeper)
    defer { other.remove() }
    for target in [pair.target.path, other.target.path] {
      let arguments = ["generate", "--target", target, "--prompt", "abc", "--max-tokens", "40"]
      let plain = try CommandProcess(arguments + ["--drafter", "none"]).wait()
      let drafted = try CommandProcess(
        arguments + ["--drafter", drafter, "--draft-length", "3", "--stats"]
      ).wait()
      #expect(plain.status == 0 && drafted.status == 0, "\(drafted.errors)")
      #expect(drafted.output == plain.output)
    }
    let adaptive = try CommandProcess([
      "generate", "--target", pair.target.path, "--prompt", "abc", "--drafter", drafter,
      "--compare", "--repeats", "1", "--max-tokens", "40",
    ]).wait()
    #expect(adaptive.status == 0, "\(adaptive.errors)")
    deeper.hidden = 48
    let wider = try TinyPair(deeper)
    defer { wider.remove() }
    let refused = try CommandProcess([
      "generate", "--target", wider.target.path, "--prompt", "abc", "--drafter", drafter,
    ]).wait()
    #expect(refused.status == 1)
    #expect(
      refused.errors
        == "error: the drafter was made for a target with width 32, but this target has 48: use a "
        + "drafter made for this target, or none\n")
  }

  @Test func helpSaysWhatBelongsToDraftersThatSeeTokens() throws {
    defer { pair.remove() }
    let text = try CommandProcess(["distill", "train", "--help"]).wait().output
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let section = """
      DRAFTERS THAT SEE TOKENS ALONE: --kind <kind> What the drafter sees of the text: what the \
      target computed about it (conditioned), or its tokens alone (tokens). (values: conditioned, \
      tokens; default: conditioned) --width <width> The drafter's width, a multiple of the target's \
      head width; another than the target's comes with an embedding of the drafter's own. (default: \
      the target's) --own-embedding Train an embedding of the drafter's own rather than borrow the \
      target's. --stage <1|2|both> 1: blocks with random rows masked; 2: blocks of all lengths \
      masked entirely; or both, one after the other. (default: both) --refinement-steps \
      <refinement-steps> Steps of --steps that are stage 2's. (default: a quarter) \
      --refinement-rate <refinement-rate> The highest learning rate of stage 2, as a share of \
      --learning-rate. (default: 0.5) --least-noise <least-noise> Stage 1: the lowest share of rows \
      that is masked. (default: 0.1) --masked-share <masked-share> Stage 1: the share of blocks \
      that are masked entirely. (default: 0.5) --views <views> Stage 1: how often a block is shown \
      that isn't masked entirely: once (single), twice, each row masked in one view (complement), \
      or thrice, masked entirely too (coupled). (default: single) (values: single, complement, \
      coupled) --left-share <left-share> Stage 1: the share of these blocks whose shown rows are \
      the first ones. (default: 0) --spread-levels Stage 1: spread shares of masked rows evenly \
      over the blocks of a pass. --growth-steps <growth-steps> First steps in which blocks grow \
      from --shortest-block to --block-size. (default: 0) --alpha <alpha> Stage 2: row i of R counts \
      alpha^(R−i); below 1.05. (default: 1.01) OBJECTIVE:
      """
    #expect(text.contains(section), "\(text)")
  }

  @Test func helpSaysWhatADrafterIsTrainedFor() throws {
    defer { pair.remove() }
    let text = try CommandProcess(["distill", "train", "--help"]).wait().output
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let section = """
      OBJECTIVE: --cross-entropy <cross-entropy> Factor of the cross-entropy to the target's \
      token. (default: 1.0) --divergence <divergence> Factor of the KL divergence from the \
      target's distribution. (default: 0.0) --variation <variation> Factor of the total variation \
      to the target's distribution. (default: 0.0) --certainty <certainty> Factor of the entropy \
      of drafts that are the target's token already: makes the drafter surer where it is right. \
      (default: 0.0) --confidence <confidence> Train a head that foretells how likely each draft \
      is accepted, to choose by how many drafts pay; the factor of its cross-entropy, which \
      changes nothing else of the drafter. (default: no head) --confidence-label \
      <confidence-label> What that head foretells: whether the likeliest draft is the target's \
      token (match), or how much of the target's distribution the drafter's covers (variation). \
      (default: match) (values: match, variation) --row-weights <weights>
      """
    #expect(text.contains(section), "\(text)")
    let best =
      "--save-best Keep the drafter of the best simulated acceptance in the folder 'best' of"
    #expect(text.contains(best))
  }

  @Test func mistakesAreNamed() throws {
    defer { pair.remove() }
    let target = ["--target", pair.target.path]
    let tokens = data + ["--kind", "tokens"]
    for (arguments, status, message) in [
      (["data"] + target, 64, "give the documents of the prompts"),
      (target, 64, "or --responses-from"),
      (["data"] + data + ["--store-taps", "1,x"], 64, "--store-taps is 1,x: give numbers such as"),
      (["data"] + data + ["--store-taps", ","], 64, "--store-taps names 0 layers: give 1 to 64"),
      (["data"] + data + ["--store-taps", "1,1"], 64, "--store-taps is 1,1: name each layer once"),
      (
        ["data"] + data + ["--store-log-probabilities", "0"], 64,
        "--store-log-probabilities 0 is out of range: use 1 to 4096"
      ),
      (["data"] + data + ["--threads", "0"], 64, "--threads 0 is out of range: use 1 to 256"),
      (data + ["--threads", "999"], 64, "--threads 999 is out of range: use 1 to 256"),
      (data + ["--dtype", "f16"], 64, "--dtype is f16: give bf16 or f32"),
      (data + ["--clip", "0"], 64, "--clip 0.0 is out of range: use a number above 0"),
      (data + ["--floor", "2"], 64, "--floor 2.0 is out of range: use 0.0 to 1.0"),
      (
        data + ["--evaluate-every", "-1"], 64, "--evaluate-every -1 is out of range: use 0 or more"
      ),
      (data + ["--responses-from", "x"], 64, "or --responses-from"),
      (target + ["--responses-from", "nothing"], 1, "nothing holds no responses: give a folder"),
      (data + ["--row-weights", "flat"], 64, "--row-weights is flat: give decay or pace"),
      (data + ["--row-weights", "pace", "--decay", "3"], 64, "--decay means nothing with"),
      (data + ["--cross-entropy", "0"], 64, "are all 0: give one that counts"),
      (
        data + ["--divergence=-1"], 64,
        "--divergence -1.0 is out of range: use a number of at least 0"
      ),
      (
        data + ["--certainty=-1"], 64,
        "--certainty -1.0 is out of range: use a number of at least 0"
      ),
      (
        data + ["--confidence", "0"], 64, "--confidence is 0.0: give a number above 0, or leave it"
      ),
      (data + ["--confidence-label", "match"], 64, "--confidence-label belongs to --confidence"),
      (data + ["--init", "nowhere"], 1, "--init nowhere: there is no such folder"),
      (
        overriding(data + sizes, ["--mask-token", "9999"]), 1,
        "--mask-token 9999 is outside the target's vocabulary of 261: give one of its tokens"
      ),
      (data + ["--save-best"], 64, "--save-best compares held-out acceptances: give --heldout"),
      (data + ["--stage", "1"], 64, "--stage belongs to --kind tokens: give it too"),
      (tokens + ["--alpha", "1.05"], 64, "--alpha is 1.05: give 1 to less than 1.05, at which"),
      (tokens + ["--stage", "3"], 64, "--stage is 3: give 1, 2 or both"),
      (tokens + ["--target-layers", "1"], 64, "belongs to --kind conditioned: leave it out"),
      (tokens + ["--row-weights", "pace"], 64, "belongs to --kind conditioned: leave it out"),
      (tokens + ["--block-size", "98"], 64, "give at most 97, of which stage 2"),
      (data + ["--views", "coupled"], 64, "--views belongs to --kind tokens: give it too"),
      (tokens + ["--left-share", "2"], 64, "--left-share 2.0 is out of range: use 0.0 to 1.0"),
      (tokens + ["--growth-steps", "9999"], 64, "--growth-steps 9999 is out of range: use 0 to"),
      (tokens + ["--least-noise", "0"], 64, "--least-noise 0.0 is out of range: use 0.01 to 1.0"),
      (
        tokens + ["--stage", "2", "--refinement-steps", "9"], 64,
        "--refinement-steps means nothing with --stage 2: drop one"
      ),
      (overriding(data, ["--response-length", "500"]), 1, "don't fit the target's context of 128"),
    ] as [([String], Int32, String)] {
      let result = try distill(arguments, to: "out")
      #expect(result.status == status, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(message), "\(arguments): \(result.errors)")
      #expect(result.output == "")
    }
    let taken = try distill(data, to: "prompts.jsonl")
    #expect(taken.status == 1)
    #expect(
      taken.errors
        == "error: \(pair.folder.path)/prompts.jsonl is the --data \(pair.folder.path)/prompts.jsonl: "
        + "give an --output apart from it\n")
    let finished = try distill(data, to: "drafter")
    #expect(finished.status == 1)
    #expect(
      finished.errors
        == "error: \(pair.folder.path)/drafter holds \"config.json\", \"model.safetensors\", which "
        + "'distill' didn't begin: give another --output\n")
  }
}
