import ArgumentParser
import Drafter
import Foundation
import Speculate
import Training

struct DistillTrainCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a drafter on answers of its target.",
    discussion: """
      First the target answers prompts cut from the documents of --data, unless --responses-from \
      names answers made earlier; then the drafter learns to foretell them. Writes responses, \
      checkpoint.safetensors, the drafter (config.json, model.safetensors), metrics.jsonl and \
      TensorBoard events, samples.json, and report.html to --output. The same command again goes on where the last one stopped, \
      bit for bit; Ctrl-C finishes what is being written first.

        speculate distill --target deep --data train.jsonl.zst --heldout heldout.jsonl.zst \
          --output drafter --layers 2 --block-size 8 --markov-rank 64
        speculate distill --target deep --responses-from answers --output drafter --divergence 1
        speculate distill --target deep --responses-from answers --output drafter --kind tokens
      """)

  @Option("Folder of the target: config.json, safetensors and tokenizer.") var target: String
  @OptionGroup var prompts: PromptDataFlags
  @Option(
    """
    Instead of --data: folders that 'speculate distill data' wrote, of greedy and of sampled answers \
    for instance. Hidden states stored beside them are read instead of computed.
    """, value: "dir")
  var responsesFrom: [String] = []
  @Option(
    """
    Held-out documents, for the simulated acceptance; as --data. (default: others that the target \
    writes, with --prompts self)
    """)
  var heldout: String?
  @Option("Instead of --heldout: a file of tokens.")
  var heldoutTokens: String?
  @Option("The folder of responses, checkpoint, metrics and drafter.", name: .shortAndLong)
  var output: String
  @OptionGroup(title: "Responses") var responses: ResponseFlags
  @OptionGroup(title: "Drafter") var drafter: DrafterSizes
  @OptionGroup(title: "Drafters that see tokens alone") var tokenFlags: TokenFlags
  @OptionGroup(title: "Objective") var objective: ObjectiveFlags
  @OptionGroup(title: "Training") var training: DistillFlags

  static let missing = PromptDataFlags.missing + "; or --responses-from"

  func validate() throws {
    guard try prompts.sources.isEmpty != responsesFrom.isEmpty else {
      throw ValidationError(Self.missing)
    }
    if heldout != nil && heldoutTokens != nil {
      throw ValidationError("give --heldout or --heldout-tokens, not both")
    }
    if training.saveBest && heldout == nil && heldoutTokens == nil && !prompts.areWritten {
      throw ValidationError(
        "--save-best compares held-out acceptances: give --heldout or --heldout-tokens")
    }
    try tokenFlags.check(drafter, objective, steps: training.run.steps)
  }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    let source: DistillOptions.Responses =
      responsesFrom.isEmpty
      ? .make(try responses.distillOptions(prompts.required(), seed: training.run.seed))
      : .made(responsesFrom.map { URL(fileURLWithPath: $0) })
    var options = DistillOptions(
      target: folder, responses: source, output: URL(fileURLWithPath: output),
      threads: training.run.threads.count)
    options.heldout = try heldoutOptions()
    options.chat = try prompts.template.settings()
    try drafter.apply(to: &options, areWritten: prompts.areWritten)
    objective.apply(to: &options)
    training.apply(to: &options)
    options.ranks = try Ranks.join()
    tokenFlags.apply(to: &options, steps: training.run.steps)
    options.maskToken = try drafter.maskToken.map { try MaskToken.id($0, target: folder) }

    let recipe = try DistillRecipe(options)
    var temperature: Float = 0
    if case .make(let wanted) = source { temperature = wanted.temperature }
    Output.notices(of: recipe.target, sampling: SamplingParameters(temperature: temperature))
    for remark in recipe.remarks { Output.note(remark + "\n") }
    Interruption.watch(patience: nil)
    let answered = try ProgressLine.responses(batch: responses.responseBatch) { report in
      try recipe.respond(shouldStop: { Interruption.requested }, report: report)
    }
    let heldoutAnswered = try answered.flatMap { _ in
      try ProgressLine.responses(batch: responses.responseBatch, label: "held-out responses") {
        try recipe.respondHeldout(shouldStop: { Interruption.requested }, report: $0)
      }
    }
    guard let made = answered, let held = heldoutAnswered else { throw Interruption.resumable() }
    let conclusion = try train(recipe.training(made, heldout: held), options)
    Output.note("the drafter is in \(output), its curves and samples in report.html\n")
    if let conclusion { Output.note(conclusion + "\n") }
    if training.saveBest, options.ranks.isFirst, let best = try BestDrafter(in: options.output) {
      Output.note(
        "the best of the evaluated drafters, of step \(best.step) with tau "
          + "\(Figures.fixed(best.acceptanceLength, 2)), is in "
          + "\(BestDrafter.folder(in: options.output).path)\n")
    }
  }

  /// Greedy answers to other prompts, as many and as long as an evaluation wants.
  private func heldoutOptions() throws -> ResponseOptions? {
    let data: ResponseOptions.Data? =
      heldout.map { .text(URL(fileURLWithPath: $0)) }
      ?? heldoutTokens.map { .tokens(URL(fileURLWithPath: $0)) }
      ?? (prompts.areWritten ? .written(prompts.writing.options) : nil)
    return try data.map { data in
      // Another seed than the training's: the file, or the writer, may be the same.
      var options = try responses.options([.init(data)], seed: training.run.seed &+ 0x48)
      options.count = training.evaluationPrompts
      options.temperature = 0
      options.length = training.evaluationLength
      return options
    }
  }

  /// Runs the training; returns what the drafter is worth, if that was measured.
  private func train(_ training: DrafterTraining, _ options: DistillOptions) throws -> String? {
    let summary = training.summary
    let responses =
      "\(Figures.count(summary.responses)) responses, \(Figures.count(summary.tokens)) tokens"
    let parameters = "\(Figures.count(training.parameterCount)) parameters, "
    let step =
      "\(options.sequences) × \(options.anchors) blocks of \(options.blockSize) a step, "
      + "\(training.precision.rawValue) products"
    TrainingRun.announce(
      training,
      "\(responses), draft vocabulary covers \(Figures.fixed(100 * summary.coverage, 2)) %\n"
        + "\(parameters)\(training.configuration.contextSummary), \(step)")
    for remark in training.unusedFeatures { Output.note(remark + "\n") }
    if training.storedCount > 0 {
      Output.note(
        "features of \(Figures.count(training.storedCount)) of \(Figures.count(summary.responses)) "
          + "responses are read from shards\n")
    }
    let last = try TrainingRun(
      recipe: training, label: "distill",
      report: TrainingReport(
        title: "Distillation",
        facts: [responses, parameters + step, training.configuration.contextSummary],
        unit: "blocks")
    ).run(isMeasured: { $0.acceptanceLength != nil }, detail: Self.detail)
    if let last {
      return last.generated.map {
        Self.conclusion(last.acceptanceLength, last.looplessAcceptanceLength, $0)
      }
    }
    // All steps had been taken before.
    guard training.ranks.isFirst, let replayed = try training.evaluate(),
      let generated = try training.generate()
    else {
      return nil
    }
    return Self.conclusion(replayed.acceptanceLength, replayed.looplessAcceptanceLength, generated)
  }

  /// The acceptance lengths of replayed rounds, of all and of answers without loops, beside those of the
  /// engine that generates.
  private static func conclusion(
    _ all: Double?, _ loopless: Double?, _ generated: GeneratedAcceptance
  ) -> String {
    let acceptance = generated.acceptance
    func length(_ value: Double?) -> String { value.map { Figures.fixed($0, 2) } ?? "none" }
    let parts = [
      "held out: tau \(length(all)) replayed, \(length(acceptance.acceptanceLength)) generated",
      "without loops \(length(loopless)) replayed, "
        + "\(length(acceptance.looplessAcceptanceLength)) generated",
      "\(acceptance.loops) of \(acceptance.answers) answers end in a loop",
      generated.differing > 0
        ? "\(generated.differing) generated answers are not the recorded ones: were these made on "
          + "another machine?" : nil,
    ]
    return ProgressLine.joined(parts)
  }

  private static func detail(_ progress: DistillProgress) -> String {
    let survival = progress.survival.map { shares in
      "accepted " + shares.map { Figures.fixed($0, 2) }.joined(separator: " ")
    }
    let parts = [
      progress.stage.map { "stage \($0)" }, "loss \(Figures.fixed(progress.loss, 4))",
      progress.acceptanceLength.map { "tau \(Figures.fixed($0, 2))" },
      progress.looplessAcceptanceLength.map { "without loops \(Figures.fixed($0, 2))" },
      progress.loopShare.map { "loop share \(Figures.fixed($0, 2))" }, survival,
      "\(Figures.rate(progress.anchorsPerSecond)) anchors/s",
    ]
    return ProgressLine.joined(parts)
  }
}
