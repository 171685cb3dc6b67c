import Files
import Foundation
import Synchronization
import Text

/// The thread that decodes, seen from the others.
final class BatchScheduler: Sendable {
  let limits: BatchLimits
  private let mailbox: BatchMailbox
  private let shown: Mutex<BatchMetrics>
  private let engine: Handover
  private let tokenizer: any Tokenizer
  private let streamLimit: Int

  /// An engine on its way to its thread.
  private struct Handover: @unchecked Sendable { let engine: BatchEngine }

  init(_ engine: BatchEngine, tokenizer: any Tokenizer, settings: BatchSettings) {
    self.engine = Handover(engine: engine)
    self.tokenizer = tokenizer
    limits = engine.limits
    mailbox = BatchMailbox(settings)
    shown = Mutex(engine.metrics)
    streamLimit = settings.streamLimit
  }

  func start() {
    let thread = Thread { self.run() }
    thread.name = "speculate.batch"
    thread.stackSize = 8 << 20
    thread.start()
  }

  var metrics: BatchMetrics { shown.withLock { $0 } }

  var isOpen: Bool { mailbox.isOpen }

  func submit(_ request: BatchRequest) throws(SubmissionError) -> BatchStream {
    do {
      try limits.check(request)
    } catch {
      throw .invalid(error)
    }
    let channel = BatchChannel(limit: streamLimit) { [mailbox] in mailbox.wake() }
    try mailbox.submit(BatchSequence(request, tokenizer: tokenizer, channel: channel))
    return BatchStream(channel)
  }

  /// Takes nothing more, and ends what is there.
  func stop() { mailbox.turn(to: .stopping) }

  func end(_ phase: BatchMailbox.Phase) async {
    mailbox.turn(to: phase)
    await mailbox.waitForEnd()
  }

  /// The thread.
  private func run() {
    let engine = engine.engine
    while true {
      let (arrived, phase) = mailbox.collect(ended: engine.takeEnded(), waits: engine.isIdle)
      engine.receive(arrived)
      if phase == .stopping { engine.cancelAll() }
      engine.step()
      shown.withLock { $0 = engine.metrics }
      if phase != .open, engine.isEmpty { break }
    }
    mailbox.end()
  }
}
