import Files
import Foundation
import TestSupport
import Testing
import Training

/// The course of a training, with losses that are made up.
@Suite struct TrainingLoopTests {
  struct Metrics: StepMetrics {
    var step: Int
    var loss: Double
    var evaluates: Bool
    var scalars: [(tag: String, value: Double)] { [("loss", loss)] }

    enum CodingKeys: CodingKey { case step, loss }
  }

  final class Script: Trainable {
    var losses: [Double]
    var stepCount = 0
    var saves: [Int] = []
    init(_ losses: [Double]) { self.losses = losses }

    func step(rate: Float) -> StepResult {
      stepCount += 1
      return StepResult(loss: losses[stepCount - 1] * 2, weight: 2, gradientNorm: 1)
    }
    func progress(_ interval: TrainingInterval, evaluates: Bool) -> Metrics {
      Metrics(step: stepCount, loss: interval.loss, evaluates: evaluates)
    }
    func save() { saves.append(stepCount) }
  }

  static func run(
    _ script: Script, in folder: TemporaryFolder, checkpointSeconds: Double = 1e9,
    stopAt: Int = .max
  ) throws -> (done: Bool, reports: [Metrics]) {
    var options = RunOptions(output: folder.url, threads: 1)
    (options.logEvery, options.evaluateEvery) = (4, 6)
    options.checkpointSeconds = checkpointSeconds
    let schedule = StagedSchedule([
      CosineSchedule(peak: 1, floorShare: 0, warmupSteps: 0, steps: script.losses.count)
    ])
    var reports: [Metrics] = []
    let done = try TrainingLoop(options, schedule: schedule, measures: true).run(
      script, shouldStop: { script.stepCount >= stopAt }, report: { reports.append($0) })
    let lines = try String(contentsOf: folder.file("metrics.jsonl"), encoding: .utf8)
    #expect(lines.split(separator: "\n").count == reports.count)
    return (done, reports)
  }

  @Test func `reports, measurements and saves come when they are due`() throws {
    let script = Script((1...14).map { Double($0) / 10 })
    let (done, reports) = try Self.run(script, in: TemporaryFolder())
    #expect(done && script.saves == [14])
    #expect(reports.map(\.step) == [4, 6, 8, 12, 14])
    #expect(reports.map(\.evaluates) == [false, true, false, true, true])
    let means = [0.25, 0.55, 0.75, 1.05, 1.35]
    #expect(zip(reports.map(\.loss), means).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func `a stopped run saves where it is`() throws {
    let script = Script([Double](repeating: 1, count: 9))
    let (done, reports) = try Self.run(script, in: TemporaryFolder(), stopAt: 5)
    #expect(!done && script.saves == [5] && reports.map(\.step) == [4, 5])
  }

  @Test(arguments: [Double.nan, .infinity, 40])
  func `a run that diverges ends before it overwrites the good checkpoint`(loss: Double) throws {
    let script = Script([3, 2, 1, 2, loss, 1])
    let folder = try TemporaryFolder()
    let error = #expect(throws: SpeculateError.self) {
      try Self.run(script, in: folder, checkpointSeconds: 0)
    }
    #expect(script.saves == [1, 2, 3, 4])
    #expect(
      try "\(#require(error))"
        == "the loss became \(loss) at step 5; \(folder.url.path)/checkpoint.safetensors holds the "
        + "good step 4: go on from it with a lower ‘learning rate’")
  }
}
