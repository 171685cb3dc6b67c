import ArgumentParser
import Foundation
import Speculate
import Training

struct ForceTrainCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on Jacobi trajectories of the target that it starts from.",
    discussion: """
      First the target answers prompts cut from the documents of --data and its Jacobi iteration \
      along the answers is recorded, unless --trajectories-from names what was recorded earlier; \
      then a model that starts as the target learns from it. Writes responses, trajectories, \
      checkpoint.safetensors, the model (config.json, model.safetensors, the tokenizer's files), \
      metrics.jsonl, TensorBoard events, and report.html to --output. The same command again goes \
      on where the last one stopped, bit for bit; Ctrl-C finishes what is being written first.

        speculate force --target small --data train.jsonl.zst --heldout heldout.jsonl.zst \
          --output forced
        speculate force --target small --trajectories-from trajectories --output forced \
          --clean 0 --divergence 10
      """)

  @Option("Folder of the target: config.json, safetensors and tokenizer.") var target: String
  @OptionGroup var prompts: PromptDataFlags
  @Option("Instead of --data: a folder that 'speculate force data' wrote.")
  var trajectoriesFrom: String?
  @Option(
    "Held-out documents, text or JSON lines, for the loss and the tokens per pass before and after."
  )
  var heldout: String?
  @Option("The folder of trajectories, checkpoint, metrics and model.", name: .shortAndLong)
  var output: String
  @OptionGroup(title: "Responses") var responses: ResponseFlags
  @OptionGroup(title: "Blocks") var blocks: BlockFlags
  @OptionGroup(title: "Objective") var objective: ForceObjectiveFlags
  @OptionGroup(title: "Training") var training: ForceFlags

  func validate() throws {
    guard try prompts.sources.isEmpty != (trajectoriesFrom == nil) else {
      throw ValidationError(
        "give the documents of the prompts: either --data or --tokens; or --prompts self; or "
          + "--trajectories-from")
    }
    try responses.checkGreedy()
  }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    let source: ForceOptions.Trajectories =
      try trajectoriesFrom.map { .made(URL(fileURLWithPath: $0)) }
      ?? .make(responses.options(prompts.required(), seed: training.run.seed))
    var options = ForceOptions(
      target: folder, trajectories: source, output: URL(fileURLWithPath: output),
      threads: training.run.threads.count)
    options.chat = try prompts.template.settings()
    options.heldout = heldout.map { URL(fileURLWithPath: $0) }
    blocks.apply(to: &options)
    objective.apply(to: &options)
    training.apply(to: &options, prompts: try responses.promptLengths(prompts.sources))
    options.ranks = try Ranks.join()

    let recipe = try ForceRecipe(options)
    Output.notices(of: recipe.target, sampling: .greedy)
    Interruption.watch(patience: nil)
    let made = try ProgressLine.trajectories(of: recipe, batch: responses.responseBatch)
    let last = try train(recipe.training(made), options)
    Output.note("the model is in \(output), its curves in report.html\n")
    if let last, let end = last.evaluation, let start = last.original {
      Output.note(Self.comparison(end, start) + "\n")
    }
  }

  private func train(_ training: ForceTraining, _ options: ForceOptions) throws -> ForceProgress? {
    let summary = training.summary
    let facts = [
      "\(Figures.count(summary.trajectories)) trajectories, \(Figures.count(summary.tokens)) tokens, "
        + "\(Figures.fixed(summary.tokensPerPass, 2)) a pass",
      "\(Figures.count(training.parameterCount)) parameters, \(options.sequences) answers a step, "
        + "blocks of \(options.blockSizes.map(String.init).joined(separator: ", then ")), "
        + "\(training.precision.rawValue) products",
    ]
    TrainingRun.announce(training, facts.joined(separator: "\n"))
    return try TrainingRun(
      recipe: training, label: "force",
      report: TrainingReport(title: "Forcing", facts: facts, unit: "rows")
    ).run(isMeasured: { $0.evaluation != nil }, detail: Self.detail)
  }

  private static func detail(_ progress: ForceProgress) -> String {
    let parts = [
      "loss \(Figures.fixed(progress.loss, 3))", "clean \(Figures.fixed(progress.cleanLoss, 3))",
      "noisy \(Figures.fixed(progress.noisyLoss, 3))",
      progress.divergence.map { "divergence \(Figures.fixed($0, 4))" },
      progress.evaluation.flatMap { end in progress.original.map { comparison(end, $0) } },
      "\(Figures.rate(progress.rowsPerSecond)) rows/s",
    ]
    return ProgressLine.joined(parts)
  }

  /// The forced model against the target that it started from.
  private static func comparison(_ end: ForceEvaluation, _ start: ForceEvaluation) -> String {
    let change = 100 * (end.bitsPerByte / start.bitsPerByte - 1)
    func passes(_ name: String, _ of: (ForceEvaluation) -> ForceEvaluation.Passes) -> String {
      "\(name) \(Figures.fixed(of(start).tokensPerPass, 2)) → "
        + "\(Figures.fixed(of(end).tokensPerPass, 2)) (without loops "
        + "\(Figures.fixed(of(start).looplessTokensPerPass, 2)) → "
        + "\(Figures.fixed(of(end).looplessTokensPerPass, 2)))"
    }
    return [
      "held-out bits a byte \(Figures.fixed(start.bitsPerByte, 4)) → "
        + "\(Figures.fixed(end.bitsPerByte, 4)) (\(change < 0 ? "" : "+")"
        + "\(Figures.fixed(change, 2)) %), a token \(Figures.fixed(start.bitsPerToken, 3)) → "
        + Figures.fixed(end.bitsPerToken, 3),
      passes("tokens a pass, plain Jacobi", \.plain), passes("with all", \.full),
    ].joined(separator: " | ")
  }
}
