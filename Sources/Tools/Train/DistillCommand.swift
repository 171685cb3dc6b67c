import ArgumentParser
import Drafter
import Foundation
import Tensors
import Training

/// `speculate distill`: a conditioned block drafter from a target.
struct DistillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distill",
    abstract: "Distil a block drafter from a target.",
    discussion: """
      First the target answers prompts cut from the documents of --data; then the drafter learns to \
      foretell those answers. Writes responses.bin, checkpoint.safetensors, the drafter \
      (config.json, model.safetensors), metrics.jsonl and TensorBoard events to --output. The same \
      command again goes on where the last one stopped, bit for bit; Ctrl-C finishes what is being \
      written first.

        speculate distill --target deep --data train.jsonl.zst --heldout heldout.jsonl.zst \\
          --output drafter --layers 2 --block-size 8 --markov-rank 64
      """)

  @Option(help: "Folder of the target: config.json, safetensors and tokenizer.")
  var target: String
  @Option(help: "Documents to cut prompts from: JSON lines with a field \"text\", plain or .zst.")
  var data: String?
  @Option(help: "Instead of --data: a file of little-endian 16-bit tokens.")
  var tokens: String?
  @Option(help: "Held-out documents, for the simulated acceptance; of the kind of --data.")
  var heldout: String?
  @Option(help: "Instead of --heldout: a file of tokens.")
  var heldoutTokens: String?
  @Option(name: .shortAndLong, help: "The folder of responses, checkpoint, metrics and drafter.")
  var output: String

  @OptionGroup(title: "Responses") var responses: ResponseFlags
  @OptionGroup(title: "Drafter") var drafter: DrafterSizes
  @OptionGroup(title: "Objective") var objective: ObjectiveFlags
  @OptionGroup(title: "Training") var training: DistillFlags

  func validate() throws {
    guard (data == nil) != (tokens == nil) else {
      throw ValidationError("give the documents of the prompts: either --data or --tokens")
    }
    if heldout != nil && heldoutTokens != nil {
      throw ValidationError("give --heldout or --heldout-tokens, not both")
    }
    try responses.check()
    try drafter.check()
    try objective.check()
    try training.check()
  }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    guard let prompts = Self.data(data, tokens) else { return }
    var options = DistillOptions(
      target: folder, data: prompts, output: URL(fileURLWithPath: output),
      threads: training.threads ?? Workers.defaultCount)
    options.heldout = Self.data(heldout, heldoutTokens)
    responses.apply(to: &options)
    drafter.apply(to: &options)
    objective.apply(to: &options)
    training.apply(to: &options)

    let recipe = try DistillRecipe(options)
    Interruption.watch()
    guard let made = try makeResponses(recipe, options),
      let held = try recipe.respondHeldout(shouldStop: { Interruption.requested })
    else {
      Output.note("stopped; the same command goes on from here\n")
      throw Interruption.exitCode
    }
    try train(recipe.training(made, heldout: held), options)
    Output.note("the drafter is in \(output)\n")
  }

  private func makeResponses(
    _ recipe: DistillRecipe, _ options: DistillOptions
  ) throws -> [Response]? {
    let line = ProgressLine("responses", unit: "tokens")
    let start = Clock.seconds
    var (last, first) = (ResponseProgress(responses: 0, wanted: 0, tokens: 0), Int?.none)
    func detail() -> String {
      let done = last.responses - (first ?? 0)
      let left =
        done > 0 ? (Clock.seconds - start) / Double(done) * Double(last.wanted - last.responses) : 0
      return "\(last.responses)/\(last.wanted) responses | \(Figures.duration(left)) left"
    }
    let made = try recipe.respond(shouldStop: { Interruption.requested }) { progress in
      if first == nil { first = progress.responses - 1 }
      last = progress
      line.update(progress.tokens, detail: detail())
    }
    if last.tokens > 0 { line.finish(last.tokens, detail: detail()) }
    return made
  }

  private func train(_ training: DrafterTraining, _ options: DistillOptions) throws {
    let summary = training.summary
    Output.note(
      "\(Figures.count(summary.responses)) responses, \(Figures.count(summary.tokens)) tokens, "
        + "draft vocabulary covers \(Figures.fixed(100 * summary.coverage, 2)) %\n"
        + "\(Figures.count(training.parameterCount)) parameters, target layers "
        + "\(training.configuration.targetLayers), \(options.sequences) × \(options.anchors) "
        + "blocks of \(options.blockSize) a step, \(options.threads) threads"
        + (training.resumedStep > 0 ? ", resumed at step \(training.resumedStep)\n" : "\n"))
    let line = ProgressLine(
      "distill", unit: "steps", total: max(0, options.steps - training.resumedStep))
    var last = training.resumedStep
    let done = try training.run(shouldStop: { Interruption.requested }) { progress in
      last = progress.step
      if progress.acceptanceLength != nil {
        line.clear()
        Output.note("step \(progress.step) | \(Self.detail(progress))\n")
      }
      line.update(last - training.resumedStep, detail: Self.detail(progress))
    }
    line.finish(last - training.resumedStep)
    guard done else {
      Output.note("stopped with a checkpoint; the same command goes on from here\n")
      throw Interruption.exitCode
    }
  }

  private static func data(_ text: String?, _ tokens: String?) -> DistillOptions.Data? {
    text.map { .text(URL(fileURLWithPath: $0)) } ?? tokens.map { .tokens(URL(fileURLWithPath: $0)) }
  }

  private static func detail(_ progress: DistillProgress) -> String {
    let survival = progress.survival.map { shares in
      "accepted " + shares.map { Figures.fixed($0, 2) }.joined(separator: " ")
    }
    let parts = [
      "loss \(Figures.fixed(progress.loss, 4))",
      progress.acceptanceLength.map { "tau \(Figures.fixed($0, 2))" }, survival,
      "\(Figures.rate(progress.anchorsPerSecond)) anchors/s",
    ]
    return parts.compactMap { $0 }.joined(separator: " | ")
  }
}
