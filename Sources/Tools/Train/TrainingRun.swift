import Foundation
import Training

/// How a training shows itself: a progress line, a line for each held-out measurement, and a page.
struct TrainingRun {
  /// What the progress line begins with.
  var label: String
  /// The page that is written at the end and after each measurement.
  var report: TrainingReport
  /// The folder that it is written to.
  var output: URL
  /// Steps of the whole run.
  var steps: Int
  /// Steps taken before this session.
  var resumedStep: Int

  /// Runs `train` to its end, or until Ctrl-C.
  ///
  /// - Parameters:
  ///   - train: Gets what to ask whether to stop and what to tell; returns whether all steps are done.
  ///   - isMeasured: Whether a report holds a held-out measurement.
  ///   - detail: What to show of a report.
  /// - Throws: `Interruption.exitCode` when it was stopped before its end, and what `train` throws.
  func run<Progress: StepMetrics>(
    _ train: (_ shouldStop: () -> Bool, _ report: (Progress) -> Void) throws -> Bool,
    isMeasured: @escaping (Progress) -> Bool, detail: @escaping (Progress) -> String
  ) throws {
    let line = ProgressLine(label, unit: "steps", total: max(0, steps - resumedStep))
    var last = resumedStep
    let done = try train({ Interruption.requested }) { progress in
      last = progress.step
      if isMeasured(progress) {
        line.clear()
        Output.note("step \(progress.step) | \(detail(progress))\n")
        report.update(in: output)
      }
      line.update(last - resumedStep, detail: detail(progress))
    }
    line.finish(last - resumedStep)
    try report.write(to: output)
    guard done else {
      Output.note("stopped with a checkpoint; the same command goes on from here\n")
      throw Interruption.exitCode
    }
  }
}
