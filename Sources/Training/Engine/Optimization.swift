import Dispatch
import Files
import Synchronization
package import Tensors

/// How the sequences of a batch become a step: dealt out to lanes, their gradients summed and clipped,
/// and AdamW.
package final class Optimization<Pass: GradientPass> {
  /// The threads that take a step. Each has a pass of its own, unless there are fewer lanes.
  package let workers: Workers
  package let exchange: Exchange
  private let passes: [Pass]
  private let gradients: [FloatBuffer]  // one for each lane of this process
  private let optimizer: AdamW
  private let parameters: FloatBuffer
  private let clip: Float
  /// How far each pass is with what it adds to its last lane.
  private var marks: [GradientMark] = []
  /// This thread, and one that takes the sum of gradients further while passes run; nil where there is
  /// nobody to sum with.
  private let pair: Workers?
  /// What the parts of the last step took.
  package private(set) var times = OptimizationTimes()
  /// Asked between sequences, on the thread that runs the training.
  var shouldStop: () -> Bool = { false }
  /// Whether any rank wanted to stop by the end of the last step, which all ranks then know.
  private(set) var isStopAgreed = false

  /// Makes a pass for each worker, and a gradient for each lane of this process.
  package init<Position, Model>(
    of run: Run<Position, Model>, workers: Workers, makePass: () -> Pass
  ) {
    exchange = run.exchange
    self.workers = workers
    let lanes = exchange.lanes.count
    let passes = (0..<min(workers.count, lanes)).map { _ in makePass() }
    self.passes = passes
    gradients =
      passes.map(\.gradients)
      + (passes.count..<lanes).map { _ in FloatBuffer(count: passes[0].gradients.count) }
    pair = exchange.ranks.isAlone ? nil : Workers(count: 2)
    (optimizer, parameters, clip) = (run.optimizer, run.model.parameters, run.options.clip)
  }

  /// Asked by what is done for a step before its passes. Where there are several ranks a step is taken
  /// as a whole: others wait for this one's part.
  var shouldStopWithin: () -> Bool { exchange.ranks.isAlone ? shouldStop : { false } }

  /// Those sequences of a batch that this process takes.
  package func sequences(of batch: Int) -> Range<Int> {
    func start(_ lane: Int) -> Int {
      (0..<batch).share(of: lane, among: exchange.laneCount).lowerBound
    }
    return start(exchange.lanes.lowerBound)..<start(exchange.lanes.upperBound)
  }

  /// Takes one step.
  ///
  /// - Parameters:
  ///   - sequences: How many there are in the batch, over all processes.
  ///   - body: Adds the gradients of a few sequences of the batch to a pass; returns their loss.
  /// - Returns: The loss of the batch, and the gradient's norm before clipping.
  package func step<Losses: LossSum>(
    _ sequences: Int, rate: Float, _ body: @Sendable (Pass, Range<Int>) -> Losses
  ) throws -> (losses: Losses, gradientNorm: Double) {
    var watch = Stopwatch()
    workers.run { [gradients, workers] worker in
      for lane in gradients.indices.share(of: worker, among: workers.count) {
        gradients[lane].base.update(repeating: 0, count: gradients[lane].count)
      }
    }
    let own = try gatherForStep(sequences, body)
    times.passes = watch.lap()
    if exchange.ranks.isAlone, own.isStopWanted { throw Stopped() }
    let norm = try exchange.sum(gradients, workers: workers)
    let losses = try sum(own)
    times.sum = watch.lap()
    optimizer.step(
      parameters: parameters, gradients: gradients[0],
      gradientScale: norm > Double(clip) ? clip / Float(norm) : 1, rate: rate, workers: workers)
    times.update = watch.lap()
    return (losses, norm)
  }

  /// The sum of what `body` returns for all sequences of a batch, in a fixed order.
  ///
  /// - Parameter body: Takes a few sequences at a time, on a pass that holds their lane's gradient.
  package func sum<Losses: LossSum>(
    _ sequences: Int, _ body: @Sendable (Pass, Range<Int>) -> Losses
  ) throws -> Losses {
    let own = gather(sequences, body)
    if exchange.ranks.isAlone, own.isStopWanted { throw Stopped() }
    return try sum(own)
  }

  /// The sum of what all ranks have gathered; learns whether one of them wants to stop.
  private func sum<Losses: LossSum>(_ own: Gathered<Losses>) throws -> Losses {
    var voted = own.losses.map { Voted(losses: $0) }
    if own.isStopWanted { voted[0].stops = 1 }
    let sum = try exchange.sum(voted)
    isStopAgreed = isStopAgreed || sum.stops > 0
    return sum.losses
  }

  /// What `body` returns for the sequences of each lane of this process.
  private func gather<Losses: LossSum>(
    _ sequences: Int, _ body: @Sendable (Pass, Range<Int>) -> Losses
  ) -> Gathered<Losses> {
    let own = exchange.lanes
    let sums = Mutex([Losses](repeating: Losses(), count: own.count))
    let (first, lanes) = (own.lowerBound, exchange.laneCount)
    let wantsStop = Atomic(false)
    // Other processes would wait for this one's part.
    let mayStop = exchange.ranks.isAlone
    // Worker 0 is this thread.
    nonisolated(unsafe) let shouldStop = shouldStop
    workers.run { [passes, gradients, marks] worker in
      guard worker < passes.count else { return }
      let pass = passes[worker]
      let mark = marks.isEmpty ? nil : marks[worker]
      let shares = (0..<own.count).share(of: worker, among: passes.count)
      for lane in shares {
        pass.gradients = gradients[lane]
        var sum = Losses()
        var rest = (0..<sequences).share(of: first + lane, among: lanes)
        while !rest.isEmpty, !(mayStop && wantsStop.load(ordering: .relaxed)) {
          let part = rest.prefix(pass.sequences)
          rest = part.upperBound..<rest.upperBound
          // Only the last sequences make anything final.
          pass.didSettle = nil
          if rest.isEmpty, lane == shares.last, let mark {
            pass.didSettle = { mark.settle(from: $0) }
          }
          sum += body(pass, part)
          if worker == 0, shouldStop() { wantsStop.store(true, ordering: .relaxed) }
        }
        sums.withLock { $0[lane] = sum }
      }
      pass.didSettle = nil
      mark?.settle(from: 0)
    }
    let isWanted = wantsStop.load(ordering: .relaxed) || !mayStop && shouldStop()
    return Gathered(losses: sums.withLock { $0 }, isStopWanted: isWanted)
  }

  /// The same for a step, while a thread takes the sum of those gradients further that are final.
  ///
  /// - Throws: When another rank can't be reached.
  private func gatherForStep<Losses: LossSum>(
    _ sequences: Int, _ body: @Sendable (Pass, Range<Int>) -> Losses
  ) throws -> Gathered<Losses> {
    guard let pair else { return gather(sequences, body) }
    marks = passes.map { _ in GradientMark(count: gradients[0].count) }
    defer { marks = [] }
    exchange.begin(gradients)
    let areDone = DispatchSemaphore(value: 0)
    let outcome = Mutex<(own: Gathered<Losses>?, failure: (any Error)?)>((nil, nil))
    // Side 0 is this thread.
    nonisolated(unsafe) let this = self
    pair.run { [exchange, gradients, marks] side in
      if side == 0 {
        let own = this.gather(sequences, body)
        outcome.withLock { $0.own = own }
        areDone.signal()
      } else {
        do {
          try exchange.follow(gradients, marks) {
            areDone.wait(timeout: .now() + .microseconds($0)) == .success
          }
        } catch { outcome.withLock { $0.failure = error } }
      }
    }
    let (own, failure) = outcome.withLock { $0 }
    if let failure { throw failure }
    guard let own else { preconditionFailure("the passes have run") }
    return own
  }
}

/// What this process has of a batch.
private struct Gathered<Losses: LossSum>: Sendable {
  var losses: [Losses]  // of each lane
  var isStopWanted: Bool
}

/// Seconds of a step's parts.
package struct OptimizationTimes: Sendable {
  /// Forward and backward passes, and what of the sum of gradients could be done meanwhile.
  package var passes = 0.0
  /// The rest of that sum, the sum of losses, and the wait for other ranks.
  package var sum = 0.0
  /// The optimizer's.
  package var update = 0.0

  package var total: Double { passes + sum + update }
}

/// Losses, and how many ranks want to stop.
private struct Voted<Losses: LossSum>: LossSum {
  var losses = Losses()
  var stops = 0

  static func += (sum: inout Voted, other: Voted) {
    sum.losses += other.losses
    sum.stops += other.stops
  }
}
