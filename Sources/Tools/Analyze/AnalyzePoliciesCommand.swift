import Analysis
import ArgumentParser
import Drafter
import Files
import Foundation
import Speculate
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
    """
    Policies to compare with one pass, each a name and its settings: name:key=value,key=value. (default: \
    all that are known)
    """, value: "policy")
  var denoising: [String] = []
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
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func validate() throws {
    try OptionCheck.atLeast(1, ("--draft-length", draftLength))
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
    let tasks = try prompts.read()
    let folder = try target.folder()
    let named = try drafter.map { try ModelFolder.url($0, option: "--drafter") }
    guard let source = named ?? DrafterSource.embedded(for: folder) else {
      throw SpeculateError(
        "the target has no embedded drafter: name a block drafter with --drafter")
    }
    let generator = try TextGenerator(
      target: folder, drafter: source, weights: weights.choice, threads: threads.count,
      chat: try template.settings(), costCache: nil)
    Output.notices(generator, sampling.parameters)
    let encoder = PromptEncoder(
      generator, isChat: chat.isOn, system: chat.system, now: ChatEncoder.fixedTime)
    Interruption.watch()
    let report = try PolicyRun(
      generator: generator, encoder: encoder, parameters: sampling.parameters,
      denoising: denoising.map(Denoising.init), draftLength: draftLength, choice: draftChoice,
      costs: draftCost.flatMap { draft in verifyCost.map { (draft, $0) } },
      promptTokens: prompts.promptTokens, hasOracle: oracle, threads: threads.count
    ).report(tasks)
    try CommandReport(lines: report.lines, parts: [report]).show(json: json)
  }
}
