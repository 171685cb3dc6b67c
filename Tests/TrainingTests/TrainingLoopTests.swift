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
    var evaluates = false
    var scalars: [(tag: String, value: Double)] { [("loss", loss)] }

    enum CodingKeys: CodingKey { case step, loss }
  }

  final class Script: Trainable {
    var losses: [Double]
    var stepCount = 0
    var saves: [Int] = []
    init(_ losses: [Double]) { self.losses = losses }

    var pending: Metrics?
    /// Whether measurements come to an end, and what they find.
    var isStopped = false
    var measured = 0.0
    var events: [String] = []

    func attempt(rate: Float) -> StepResult? {
      stepCount += 1
      return StepResult(loss: losses[stepCount - 1] * 2, weight: 2, gradientNorm: 1)
    }
    func progress(_ interval: TrainingInterval) -> Metrics {
      Metrics(step: stepCount, loss: interval.loss)
    }
    func measure(into progress: inout Metrics) -> Bool {
      events.append("measure \(progress.step)")
      progress.evaluates = !isStopped
      progress.loss += measured
      return !isStopped
    }
    func save(pending: Metrics?) {
      saves.append(stepCount)
      events.append("save \(stepCount)\(pending == nil ? "" : " pending")")
    }
  }

  static func run(
    _ script: Script, in folder: TemporaryFolder, checkpointSeconds: Double = 1e9,
    stopAt: Int = .max, earlier: Int = 0
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
    #expect(lines.split(separator: "\n").count == earlier + reports.count)
    return (done, reports)
  }

  @Test func `reports, measurements and saves come when they are due`() throws {
    let script = Script((1...14).map { Double($0) / 10 })
    let (done, reports) = try Self.run(script, in: TemporaryFolder())
    #expect(done && script.saves == [6, 12, 14, 14])
    #expect(
      script.events == [
        "save 6 pending", "measure 6", "save 12 pending", "measure 12", "save 14 pending",
        "measure 14", "save 14",
      ])
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

  @Test func `a measurement that was stopped is made by the next session`() throws {
    let folder = try TemporaryFolder()
    let script = Script([Double](repeating: 1, count: 7))
    script.isStopped = true
    let (done, reports) = try Self.run(script, in: folder)
    #expect(!done && script.saves == [6] && reports.map(\.step) == [4])
    let next = Script(script.losses)
    (next.stepCount, next.pending) = (6, Metrics(step: 6, loss: 1))
    let rest = try Self.run(next, in: folder, earlier: reports.count)
    #expect(rest.done && rest.reports.map(\.step) == [6, 7])
    #expect(rest.reports.allSatisfy { $0.evaluates })
    #expect(next.events.prefix(2) == ["measure 6", "save 6"])
  }

  @Test func `a measurement that isn't a number is told`() throws {
    let script = Script([Double](repeating: 1, count: 7))
    script.measured = .nan
    let folder = try TemporaryFolder()
    #expect(
      throws: SpeculateError(
        "loss became NaN at step 6; \(folder.url.path)/checkpoint.safetensors holds the good step 6: "
          + "go on from it with a lower ‘learning rate’")
    ) { try Self.run(script, in: folder) }
  }

  @Test func `a resumed run's log has every step once`() throws {
    let folder = try TemporaryFolder()
    let log = "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":2}\n{\"step\":4}\n{\"st"
    _ = try folder.write(Data(log.utf8), to: "metrics.jsonl")
    do {
      let log = try MetricsLog(folder: folder.url, from: 4)
      try log.append(Metrics(step: 5, loss: 1))
    }
    #expect(
      try String(contentsOf: folder.file("metrics.jsonl"), encoding: .utf8)
        == "{\"step\":1}\n{\"step\":2}\n{\"loss\":1,\"step\":5}\n")
  }

  @Test(arguments: [Double.nan, Double(nan: 0x3e, signaling: false), .infinity, 40])
  func `a run that diverges ends before it overwrites the good checkpoint`(loss: Double) throws {
    let script = Script([3, 2, 1, 2, loss, 1])
    let folder = try TemporaryFolder()
    let error = #expect(throws: SpeculateError.self) {
      try Self.run(script, in: folder, checkpointSeconds: 0)
    }
    #expect(script.saves == [1, 2, 3, 4])
    let words = loss.isNaN ? "NaN" : loss.isInfinite ? "infinite" : "\(loss)"
    #expect(
      try "\(#require(error))"
        == "the loss became \(words) at step 5; \(folder.url.path)/checkpoint.safetensors holds the "
        + "good step 4: go on from it with a lower ‘learning rate’")
  }
}
