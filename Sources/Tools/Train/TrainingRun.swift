import Foundation
import Training

/// How a training shows itself: a progress line, a line for each held-out measurement, and a page.
struct TrainingRun<Recipe: TrainingRecipe> {
  var recipe: Recipe
  /// What the progress line begins with.
  var label: String
  /// The page that is written at the end and after each measurement.
  var report: TrainingReport

  /// Tells what is trained, and where it goes on.
  ///
  /// - Parameter facts: What the recipe's products and threads are told behind.
  static func announce(_ recipe: Recipe, _ facts: String) {
    let (step, steps) = (recipe.resumedStep, recipe.state.options.steps)
    let resumed =
      step >= steps
      ? ", finished: all \(steps) steps were taken before"
      : step > 0 ? ", resumed at step \(step)" : ""
    let (ranks, lanes) = (recipe.ranks.rankCount, recipe.state.exchange.laneCount)
    let threads = recipe.state.header.threads
    let parts = [
      facts, ranks > 1 ? "\(ranks) ranks" : nil, "\(threads) threads",
      lanes == threads ? nil : "\(lanes) lanes",
      recipe.state.exchange.precision == .f32 ? nil : "sums in bf16",
    ]
    Output.note(parts.compactMap(\.self).joined(separator: ", ") + "\(resumed)\n")
    for remark in recipe.remarks { Output.note(remark + "\n") }
  }

  /// Runs the training to its end, or until Ctrl-C.
  ///
  /// - Parameters:
  ///   - isMeasured: Whether a report holds a held-out measurement.
  ///   - detail: What to show of a report.
  /// - Returns: The last report; nil if all steps had been taken before, and on ranks that don't write.
  /// - Throws: `Interruption.exitCode` when it was stopped before its end, and what the training throws.
  @discardableResult func run(
    isMeasured: (Recipe.Progress) -> Bool, detail: (Recipe.Progress) -> String
  ) throws -> Recipe.Progress? {
    let (first, options) = (recipe.resumedStep, recipe.state.options)
    let line = ProgressLine(label, unit: "steps", total: max(0, options.steps - first))
    var last: Recipe.Progress?
    // The first report of a large model takes minutes; a line after every step shows that it works.
    func tick() { line.update(recipe.stepCount - first, detail: last.map(detail) ?? "") }
    tick()
    func prepareLastWords(_ step: Int) {
      let checkpoint = options.output.appending(path: "checkpoint.safetensors").path
      Interruption.prepareLastWords(
        "the job was ended, as it is when a rank or its host is lost; "
          + (step > 0
            ? "\(checkpoint) holds step \(step): the same command goes on from there"
            : "there was no checkpoint yet: start again"))
    }
    prepareLastWords(first)
    recipe.state.didSave = prepareLastWords
    func shouldStop() -> Bool {
      tick()
      return Interruption.requested
    }
    let done = try recipe.run(shouldStop: shouldStop) { progress in
      last = progress
      if isMeasured(progress) {
        line.clear()
        Output.note("step \(progress.step) | \(detail(progress))\n")
        report.update(in: options.output)
      }
      tick()
    }
    line.finish(recipe.stepCount - first)
    if recipe.ranks.isFirst { try report.write(to: options.output) }
    guard done else {
      Output.note("stopped with a checkpoint; the same command goes on from here\n")
      throw Interruption.exitCode
    }
    return last
  }
}
