import Files
import Tensors
import Verifier

/// Memory for keys and values, and places for those that wait.
extension BatchEngine {
  /// Rounds for which a sequence may pause while others wait.
  static let mostPaused = 32

  /// Sees that all have memory for the round, or takes it from the youngest.
  func growCaches() {
    var index = 0
    while index < running.count {
      let sequence = running[index]
      index += 1
      guard let run = sequence.run, !run.isPaused, !run.hasEnded else { continue }
      let (tokens, room) = (run.sequence.tokens.count, run.cache.room)
      let most = run.cache.capacity
      let least = KeyValueCache.roundedUp(min(tokens + runner.maximumRows, most))
      guard least > room else { continue }
      let usual = KeyValueCache.roundedUp(min(max(least, room + room / 2), most))
      var positions = usual
      if !memory.take(usual - room) {
        positions = least
        while !memory.take(least - room) {
          preempt(running.removeLast())
          if index > running.count { break }
        }
        guard index <= running.count else { return }
      }
      do {
        try run.cache.reserve(exactly: positions)
      } catch {
        memory.give(positions - room)
        run.fail(error)
      }
    }
  }

  /// Gives a sequence's memory to others. It waits in front, and is read again when it is admitted.
  private func preempt(_ sequence: BatchSequence) {
    guard let run = sequence.run else { return }
    loop.remove(run)
    release(sequence, run)
    run.rest()
    metrics.preemptions += 1
    waiting.insert(sequence, at: 0)
  }

  /// Lets sequences give their places and memory to those that wait, if their readers have been slow for long, or
  /// if nobody else could go on. They are admitted again when their readers have caught up.
  func makePlaces() {
    while waiting.contains(where: \.isReady), let index = slowest {
      let sequence = running.remove(at: index)
      if let run = sequence.run { keepPrefix(of: run, sequence, leaves: true) }
      sequence.isParked = true
      preempt(sequence)
      admit()
    }
  }

  /// The running sequence that has paused for most rounds, if it is to make room.
  private var slowest: Int? {
    let bound = running.allSatisfy(\.isStuck) ? 0 : Self.mostPaused
    return running.indices.filter {
      running[$0].isStuck && running[$0].pausedRounds >= bound
    }.max { running[$0].pausedRounds < running[$1].pausedRounds }
  }

  /// Lets sequences that read take what is known already.
  func takePrefixes() {
    guard let prefixes = memory.prefixes else { return }
    for sequence in running {
      guard let run = sequence.run, !run.isPrefilled, !run.isPaused, !run.hasEnded,
        sequence.request.promptScores == nil
      else { continue }
      do {
        let count = try prefixes.extend(run.cache, of: run.readable, source: sequence.source)
        guard sequence.isNew else { continue }
        sequence.cachedTokens += count
        metrics.prefixHits += count
      } catch {
        run.fail(error)
      }
    }
  }

  /// Keeps what a sequence has read, and at its end what it wrote.
  ///
  /// - Parameter leaves: whether what it wrote is to be kept too, because it gives its memory away.
  func keepPrefix(of run: SequenceRun, _ sequence: BatchSequence, leaves: Bool = false) {
    guard let prefixes = memory.prefixes, run.sequence.failure == nil,
      !run.isPrefilled || !sequence.hasKeptPrompt || run.hasEnded || leaves
    else { return }
    sequence.hasKeptPrompt = run.isPrefilled
    prefixes.keep(
      run.sequence.tokens, of: run.cache, source: sequence.source,
      keepsRest: run.isPrefilled || run.hasEnded || leaves,
      makeRoom: { memory.makeRoom($0) })
  }
}
