import Analysis
import ArgumentParser
import Drafter
import Files
import Foundation
import Speculate
import Tensors
import Text

struct AnalyzePoliciesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policies",
    abstract: "Compare ways to denoise a block drafter's blocks, on the same texts.",
    discussion: """
      The target writes the texts once. Every policy then drafts along them from where its own rounds would \
      stand, which tells how many drafts would have been accepted, after how many passes. Costs come from one \
      table: measured on this machine, or given in plain steps of the target. Without --denoising all policies \
      run that the drafter is able to, with the constants of their papers.

        speculate analyze policies --prompts heldout.jsonl.zst --prompt-tokens 64 --sample 24
        speculate analyze policies --prompts prompts.jsonl --oracle --draft-cost 0.15 --verify-cost 1.3 \\
          --denoising one-pass left-run left-run:threshold=0.6,gate=1
        speculate analyze policies --prompts heldout.jsonl --practice others.jsonl --denoising filter
        speculate analyze policies --prompts heldout.jsonl --drafter-weights bf16 int8 int4 --outliers
      """)

  @OptionGroup(title: "Prompts") var prompts: PromptSetOptions
  @OptionGroup(title: "Prompts") var chat: ChatFlags
  @OptionGroup(title: "Prompts") var template: ChatTemplateFlags
  @OptionGroup(title: "Models") var target: TargetOptions
  @OptionGroup(title: "Models") var weights: WeightOptions
  @Option(
    "Folder of a block drafter made for the target. (default: the embedded one, Weights/drafter)",
    value: "dir")
  var drafter: String?
  @Option(
    "Formats to hold the drafter's matrices in, side by side. (default: int8, or f32 where they are stored so)",
    value: "format")
  var drafterWeights: [WeightFormat] = []
  @Option(
    """
    Policies to compare with one pass, each a name and its settings: name:key=value,key=value. (default: \
    all that are known; none with several --drafter-weights)
    """, value: "policy")
  var denoising: [String] = []
  @Option(
    """
    Prompt files that policies learn from first. What they learned by then stands while they are measured. \
    (default: they learn as they go)
    """, value: "file")
  var practice: [String] = []
  @Option("Of the practice, take n tasks in all, as --sample does. (default: all)", value: "n")
  var practiceSample: Int?
  @Option(
    "Drafts of a block, or the drafter's most if that is less. (default: its most)", value: "n")
  var draftLength: Int?
  @Option(
    "How drafts are chosen: 'argmax', or 'coupled' to the target's random numbers. (default: by the temperature)",
    value: "rule")
  var draftChoice: DraftChoice?
  @Option("Cost of a drafter's pass in plain steps of the target. (default: measured)", value: "x")
  var draftCost: Double?
  @Option("Cost of a target's pass over 8 rows in plain steps. (default: measured)", value: "x")
  var verifyCost: Double?
  @Flag(
    help: """
      Also find out what a second pass could bring at the most: every block is drafted again behind every \
      set of its drafts, of which there are 2 to the power of their number.
      """)
  var oracle = false
  @Flag(
    help: """
      Also say how heavy the tails are of what the drafter's products take, and of its matrices: what \
      rounding to few bits has to cope with.
      """)
  var outliers = false
  @Option("Also write a report to this folder.", value: "dir") var report: String?
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    try OptionCheck.atLeast(
      1, ("--draft-length", draftLength), ("--practice-sample", practiceSample))
    guard practiceSample == nil || !practice.isEmpty else {
      throw ValidationError("--practice-sample belongs to --practice: give both")
    }
    guard Set(drafterWeights).count == drafterWeights.count else {
      throw ValidationError("--drafter-weights names a format twice: name each once")
    }
    try OptionCheck.aboveZero("--draft-cost", draftCost)
    try OptionCheck.aboveZero("--verify-cost", verifyCost)
    guard (draftCost == nil) == (verifyCost == nil) else {
      throw ValidationError("--draft-cost and --verify-cost belong together: give both or none")
    }
    if let verifyCost, verifyCost < 1 {
      throw ValidationError(
        "--verify-cost \(verifyCost) is less than a plain step's: use a number of at least 1")
    }
    guard prompts.turns == 1 else {
      throw ValidationError("a chat's first turn alone is drafted: leave out --turns")
    }
    guard sampling.stop.isEmpty else {
      throw ValidationError("texts are compared to their end: leave out --stop")
    }
    for text in denoising { try OptionCheck.library { try Denoising(text) } }
    guard Set(denoising).count == denoising.count else {
      throw ValidationError("--denoising names a policy twice: name each once")
    }
  }

  func run() throws {
    let claim = try report.map {
      try OutputClaim.folder($0, option: "--report", command: "analyze policies")
    }
    defer { withExtendedLifetime(claim) {} }
    let tasks = try prompts.read()
    let lessons = try practice.flatMap(PromptTask.read)
    let folder = try target.folder()
    let named = try drafter.map { try ModelFolder.url($0, option: "--drafter") }
    guard let source = named ?? DrafterSource.embedded(for: folder) else {
      throw SpeculateError(
        "the target has no embedded drafter: name a block drafter with --drafter")
    }
    let matrices = outliers ? try Self.matrices(of: source) : nil
    let generator = try TextGenerator(
      target: folder, drafter: source, weights: weights.choice, threads: threads.count,
      chat: try template.settings(), costCache: nil)
    Output.notices(generator, sampling.parameters)
    let encoder = PromptEncoder(
      generator, isChat: chat.isOn, system: chat.system, now: ChatEncoder.fixedTime)
    Interruption.watch()
    let comparison = try PolicyRun(
      generator: generator, encoder: encoder, parameters: sampling.parameters,
      drafters: drafters(generator, from: source), denoising: denoising.map(Denoising.init),
      draftLength: draftLength, choice: draftChoice,
      costs: draftCost.flatMap { draft in verifyCost.map { (draft, $0) } },
      promptTokens: prompts.promptTokens, hasOracle: oracle, looksAtTails: outliers,
      threads: threads.count
    ).report(tasks, practice: practiceSample.map { PromptTask.sample(lessons, $0) } ?? lessons)
    var whole = comparison
    whole.matrices = matrices
    if let report { try ReportFolder.write(whole, to: report) }
    try CommandReport(lines: whole.lines, parts: [whole]).show(json: json)
  }

  /// The drafter in each format.
  private func drafters(
    _ generator: TextGenerator, from source: URL
  ) throws -> [(name: String, drafter: BlockDrafter)] {
    func block(_ model: DrafterModel?) throws -> BlockDrafter {
      guard case .block(let drafter)? = model else {
        throw SpeculateError(
          "policies denoise the blocks of a block drafter, and this one is a causal model: give another "
            + "with --drafter")
      }
      return drafter
    }
    guard !drafterWeights.isEmpty else { return [("", try block(generator.drafter))] }
    return try drafterWeights.map { format in
      let model = try DrafterModel(
        directory: source, format: format, tokenizer: generator.tokenizer)
      return (drafterWeights.count > 1 ? format.rawValue : "", try block(model))
    }
  }

  /// The tails of the rows of a drafter's matrices as they are stored.
  private static func matrices(of source: URL) throws -> TailProfile {
    guard !GGUFFile.isMeant(by: source) else {
      throw SpeculateError(
        "--outliers looks at matrices of folders, and \(source.path) is a GGUF file: give the folder that it "
          + "was made of")
    }
    let checkpoint = try Checkpoint(directory: source)
    var profile = TailProfile()
    for name in checkpoint.names {
      guard let shape = checkpoint.shape(of: name), shape.count == 2,
        checkpoint.storedType(of: name)?.elementType != nil
      else { continue }
      let values = try checkpoint.floats(name, shape: shape)
      for row in 0..<shape[0] {
        profile.add(
          UnsafeBufferPointer(start: values.base + row * shape[1], count: shape[1]), of: name)
      }
    }
    return profile
  }
}
