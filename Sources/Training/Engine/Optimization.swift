import Synchronization
package import Tensors

/// How the sequences of a batch become a step: dealt out to passes, their gradients summed and clipped,
/// and AdamW.
package final class Optimization<Pass: GradientPass> {
  /// The threads that take a step, each with a pass of its own.
  package let workers: Workers
  private let passes: [Pass]
  private let exchange: any Exchange
  private let optimizer: AdamW
  private let parameters: FloatBuffer
  private let clip: Float
  /// Asked between sequences, on the thread that runs the training.
  var shouldStop: () -> Bool = { false }

  /// Makes a pass for each worker.
  ///
  /// - Parameter exchange: What sums over the lanes of all processes; nil where this is the only one.
  package init<Position, Model>(
    of run: Run<Position, Model>, workers: Workers, exchange: (any Exchange)? = nil,
    makePass: () -> Pass
  ) {
    let exchange = exchange ?? LocalExchange(laneCount: workers.count)
    precondition(exchange.lanes.count == workers.count, "each worker is a lane")
    self.workers = workers
    self.exchange = exchange
    passes = (0..<workers.count).map { _ in makePass() }
    (optimizer, parameters, clip) = (run.optimizer, run.model.parameters, run.options.clip)
  }

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
    workers.run { [passes] in passes[$0].clearGradients() }
    let losses = try sum(sequences, body)
    let norm = try exchange.sum(passes.map(\.gradients), workers: workers)
    optimizer.step(
      parameters: parameters, gradients: passes[0].gradients,
      gradientScale: norm > Double(clip) ? clip / Float(norm) : 1, rate: rate, workers: workers)
    return (losses, norm)
  }

  /// The sum of what `body` returns for all sequences of a batch, in a fixed order.
  ///
  /// - Parameter body: Takes a few sequences at a time, on the pass of their lane.
  package func sum<Losses: LossSum>(
    _ sequences: Int, _ body: @Sendable (Pass, Range<Int>) -> Losses
  ) throws -> Losses {
    let sums = Mutex([Losses](repeating: Losses(), count: passes.count))
    let (first, lanes) = (exchange.lanes.lowerBound, exchange.laneCount)
    // Other processes would wait for this one's part.
    let mayStop = exchange.lanes.count == lanes
    let isStopped = Atomic(false)
    // Worker 0 is this thread.
    nonisolated(unsafe) let shouldStop = shouldStop
    workers.run { [passes] worker in
      let pass = passes[worker]
      var sum = Losses()
      var rest = (0..<sequences).share(of: first + worker, among: lanes)
      while !rest.isEmpty, !isStopped.load(ordering: .relaxed) {
        let part = rest.prefix(pass.sequences)
        sum += body(pass, part)
        rest = part.upperBound..<rest.upperBound
        if worker == 0, mayStop, shouldStop() { isStopped.store(true, ordering: .relaxed) }
      }
      sums.withLock { $0[worker] = sum }
    }
    if isStopped.load(ordering: .relaxed) { throw Stopped() }
    return try exchange.sum(sums.withLock { $0 })
  }
}
