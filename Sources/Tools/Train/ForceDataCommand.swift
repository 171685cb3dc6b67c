import ArgumentParser
import Foundation
import Speculate
import Training

struct ForceDataCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Record a target's Jacobi iteration along its own answers, into compressed shards.",
    discussion: """
      Writes the folders responses and trajectories-N to --output, each with shards (.zst), a \
      manifest and the tail of the last shard. The same command again goes on where the last one \
      stopped, makes shards anew that are missing, and with more --responses adds to what is \
      there. Responses are greedy; those that 'speculate distill data' wrote are the same.

        speculate force data --target small --data train.jsonl.zst --output trajectories
      """)

  @Option("Folder of the target: config.json, safetensors and tokenizer.") var target: String
  @OptionGroup var prompts: PromptDataFlags
  @Option("The folder of shards.", name: .shortAndLong) var output: String
  @OptionGroup(title: "Responses") var responses: ResponseFlags
  @OptionGroup(title: "Blocks") var blocks: BlockFlags
  @Option("Seed of prompts.") var seed: UInt64 = 1
  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    _ = try prompts.required()
    try responses.checkGreedy()
  }

  func run() throws {
    let folder = try ModelFolder.url(target, option: "--target")
    var options = ForceOptions(
      target: folder, trajectories: .make(try responses.options(prompts.required(), seed: seed)),
      output: URL(fileURLWithPath: output), threads: threads.count)
    options.chat = try prompts.template.settings()
    blocks.apply(to: &options)
    options.ranks = try Ranks.join()
    let recipe = try ForceRecipe(options, makesData: true)
    Output.notices(of: recipe.target, sampling: .greedy)
    Interruption.watch(patience: nil)
    let made = try ProgressLine.trajectories(of: recipe, batch: responses.responseBatch)
    for (size, trajectories) in made.sorted(by: { $0.key < $1.key }) {
      Output.note(
        "\(Figures.count(trajectories.count)) trajectories of blocks of \(size) are in \(output)\n")
    }
  }
}
