import ArgumentParser

struct DistillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distill",
    abstract: "Distil a block drafter from a target.",
    discussion: """
      First the target answers prompts cut from documents; then a drafter learns to foretell those \
      answers. 'train', which needs not be named, does both; 'data' makes the answers alone, for \
      several trainings to learn from; 'table' counts what they say, a drafter without a network. See 'speculate distill train --help' for all options.

        speculate distill --target deep --data train.jsonl.zst --heldout heldout.jsonl.zst \
          --output drafter --layers 2 --block-size 8 --markov-rank 64
        speculate distill data --target deep --data train.jsonl.zst --output answers
        speculate distill --target deep --responses-from answers --output drafter
      """,
    subcommands: [
      DistillTrainCommand.self, DistillDataCommand.self, DistillTableCommand.self,
    ],
    defaultSubcommand: DistillTrainCommand.self)
}
