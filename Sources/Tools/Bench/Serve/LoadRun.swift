import Files
import Foundation
import Synchronization

/// Puts a load on a server: clients that each wait for an answer, or requests that come whatever the server does.
struct LoadRun: Sendable {
  /// How requests follow each other.
  enum Pace: Sendable {
    /// So many clients, each of which sends when it has its answer (closed loop).
    case clients(Int)
    /// So many requests a second, at random times, whoever waits (open loop).
    case rate(Double)
  }

  let target: LoadTarget
  let requests: [LoadRequest]
  let pace: Pace
  /// Requests in all; prompts are taken again when there are fewer.
  let count: Int
  let timeout: Double
  let seed: UInt64

  /// More requests at a time are a mistake of the load.
  private static let mostAtOnce = 4096

  private final class Progress: Sendable {
    let next = Atomic(0)
    let samples = Mutex<[LoadSample]>([])
  }

  /// Runs the load, or as much of it as Ctrl-C lets it.
  func run() -> (samples: [LoadSample], seconds: Double) {
    let progress = Progress()
    let watch = Stopwatch()
    let line = ProgressLine("requests", unit: "requests", total: count)
    let workers = DispatchGroup()
    switch pace {
    case .clients(let clients):
      for _ in 0..<min(clients, count) {
        start(workers) { work(progress, watch) }
      }
      wait(workers, progress, line)
    case .rate(let rate):
      sendAtRandom(rate, workers, progress, watch, line)
      wait(workers, progress, line)
    }
    line.clear()
    return (progress.samples.withLock { $0 }, watch.elapsed)
  }

  private func start(_ group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
    group.enter()
    let thread = Thread {
      body()
      group.leave()
    }
    thread.stackSize = 1 << 20
    thread.start()
  }

  private func work(_ progress: Progress, _ watch: Stopwatch) {
    let client = LoadClient(target, timeout: timeout)
    while !Interruption.requested {
      let number = progress.next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard number < count else { return }
      let sample = client.run(requests[number % requests.count], sent: watch.elapsed)
      progress.samples.withLock { $0.append(sample) }
    }
  }

  /// Sends requests at times whose gaps are exponentially distributed.
  private func sendAtRandom(
    _ rate: Double, _ group: DispatchGroup, _ progress: Progress, _ watch: Stopwatch,
    _ line: ProgressLine
  ) {
    var random = SplitMix(seed: seed)
    var due = 0.0
    for number in 0..<count where !Interruption.requested {
      while watch.elapsed < due, !Interruption.requested {
        Thread.sleep(forTimeInterval: min(0.05, max(0, due - watch.elapsed)))
        line.update(progress.samples.withLock { $0.count })
      }
      due += -log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)) / rate
      let isTooMany = number - progress.samples.withLock { $0.count } >= Self.mostAtOnce
      guard !isTooMany else {
        var sample = LoadSample(sent: watch.elapsed)
        sample.failure = "\(Self.mostAtOnce) requests wait already"
        progress.samples.withLock { $0.append(sample) }
        continue
      }
      start(group) {
        let client = LoadClient(target, timeout: timeout)
        let sample = client.run(requests[number % requests.count], sent: watch.elapsed)
        progress.samples.withLock { $0.append(sample) }
      }
    }
  }

  private func wait(_ group: DispatchGroup, _ progress: Progress, _ line: ProgressLine) {
    while group.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      line.update(progress.samples.withLock { $0.count })
    }
  }
}
