import ArgumentParser

struct ForceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "force",
    abstract: "Train a model on its own Jacobi trajectories.",
    discussion: """
      First the target answers prompts and its own Jacobi iteration along the answers is recorded; \
      then a model that starts as the target learns to foretell the end of a block from a noisy \
      state of it. 'train', which needs not be named, does both; 'data' makes the trajectories \
      alone, for several trainings to learn from. See 'speculate force train --help' for all \
      options.

        speculate force --target small --data train.jsonl.zst --heldout heldout.jsonl.zst \
          --output forced
        speculate generate --target forced --decoder jacobi --prompt 'import Foundation' --stats
        speculate generate --target small --drafter forced --prompt 'import Foundation' --stats

      The forced model is another model: its text is its own, not the target's. As a drafter of \
      the target it changes nothing of the target's text.
      """,
    subcommands: [ForceTrainCommand.self, ForceDataCommand.self],
    defaultSubcommand: ForceTrainCommand.self)
}
