import ArgumentParser
import Foundation
import Speculate
import Tensors
import Training

struct DistillDataCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Let a target answer prompts, into compressed shards.",
    discussion: """
      Writes shards (.responses.zst), a manifest and the tail of the last shard to --output. The \
      same command again goes on where the last one stopped, makes shards anew that are missing, \
      and with more --responses adds to what is there. The folder 'features' in --output takes what \
      --store-taps and --store-log-probabilities ask for; without them training computes hidden \
      states from the tokens. The folder 'prompts' takes what an instruction model writes as its own \
      user, with --prompts self; those that repeat others, break off or are no text aren't answered.

        speculate distill data --target deep --data train.jsonl.zst --output answers
        speculate distill data --target deep --data prompts.jsonl --temperature 1 --output answers
        speculate distill data --target chat.gguf --prompts self --output answers
      """)

  @Option("Folder of the target: config.json, safetensors and tokenizer.") var target: String
  @OptionGroup var prompts: PromptDataFlags
  @Option("The folder of shards.", name: .shortAndLong) var output: String
  @OptionGroup(title: "Responses") var responses: ResponseFlags
  @OptionGroup(title: "Features") var features: StoredFeatureFlags
  @Option("Seed of prompts and sampling.") var seed: UInt64 = 1
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print how many responses and prompts there are as JSON.") var json = false

  func validate() throws { _ = try prompts.required() }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    let ranks = try Ranks.join()
    let recipe = try ResponseRecipe(
      target: folder, workers: Workers(count: threads.count), chat: prompts.template.settings())
    let wanted = try responses.distillOptions(prompts.required(), seed: seed)
    Output.notices(
      of: recipe.target, sampling: SamplingParameters(temperature: wanted.temperature))
    Interruption.watch(patience: nil)
    let (choice, place) = (try features.choice, URL(fileURLWithPath: output))
    var written: PromptCounts?
    let made = try ProgressLine.responses(batch: responses.responseBatch) { report in
      try recipe.run(
        wanted, features: choice, folder: place, ranks: ranks,
        shouldStop: { Interruption.requested }
      ) { progress in
        if let counts = progress.prompts { written = counts }
        report(progress)
      }
    }
    let isComplete = try made.map { made in
      try choice.map { choice in
        try ProgressLine.features { report in
          try recipe.store(
            choice, of: made, folder: place, ranks: ranks,
            shouldStop: { Interruption.requested }, report: report)
        }
      } ?? true
    }
    guard let made, isComplete == true else { throw Interruption.resumable() }
    let tokens = made.reduce(0) { $0 + $1.continuation.count }
    Output.note(
      "\(Figures.count(made.count)) responses of \(Figures.count(tokens)) tokens are in \(output)\n"
    )
    if choice != nil {
      Output.note("their features are in \(FeatureStore.folder(in: place).path)\n")
    }
    if json {
      try Output.json(Summary(responses: made.count, tokens: tokens, prompts: written))
    }
  }

  /// What `--json` prints.
  private struct Summary: Encodable {
    var responses: Int
    var tokens: Int
    /// Nil where the target wrote none.
    var prompts: PromptCounts?
  }
}
