import Drafter
import Files
import Foundation
import Tensors
import Verifier

/// What a drafter in training is worth on held-out prompts.
extension DrafterTraining {
  /// Exports the drafter, loads it as a server does, and replays the held-out answers.
  ///
  /// - Returns: `nil` without held-out answers, and when it was stopped.
  package func evaluate() throws -> HeldoutAcceptance? { try evaluate { _ in } }

  /// Lets the engine that serves answer the held-out prompts with the drafter that was exported last.
  ///
  /// - Returns: As above.
  package func generate() throws -> GeneratedAcceptance? {
    guard !heldout.isEmpty else { return nil }
    return try AcceptanceGeneration.run(
      heldout, target: target, tokenizer: tokenizer, endTokens: endTokens,
      drafter: BlockDrafter(directory: options.output), threads: workers.count,
      shouldStop: optimization.shouldStop)
  }

  /// Adds the measurements of a report, and keeps the drafter if it is the best.
  package func measure(into figures: inout DistillFigures) throws -> Bool {
    guard replay != nil else { return true }
    var samples = sampled.map { DraftSample(heldout[$0], step: stepCount, tokenizer: tokenizer) }
    let acceptance = try evaluate { round in
      if let place = sampled.firstIndex(of: round.answer) {
        samples[place].add(round, tokenizer: tokenizer)
      }
    }
    guard let acceptance else { return false }
    figures.acceptanceLength = acceptance.acceptanceLength
    figures.survival = acceptance.survival
    figures.loopShare = acceptance.loopShare
    figures.looplessAcceptanceLength = acceptance.looplessAcceptanceLength
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys  // else another order in every process
    try AtomicFile.write(encoder.encode(samples), to: DraftSample.file(in: options.output))
    if options.savesBest {
      let best = try keepBest(acceptance)
      figures.bestStep = best.step
      figures.bestAcceptanceLength = best.acceptanceLength
    }
    guard stepCount == options.steps else { return true }
    figures.generated = try generate()
    return figures.generated != nil
  }

  private func evaluate(observe: (AcceptanceReplay.Round) -> Void) throws -> HeldoutAcceptance? {
    guard let replay else { return nil }
    try export()
    let drafter = try BlockDrafter(directory: options.output)
    return try replay.run(
      DrafterRunner(
        drafter: drafter, embedding: target.embedding, head: target.head, workers: workers),
      capacity: longest, shouldStop: optimization.shouldStop, observe: observe)
  }

  /// The numbers of the answers that samples are made of: the first ones, loops last.
  private var sampled: [Int] {
    let loops = heldout.indices.filter { heldout[$0].endsInLoop }
    let others = heldout.indices.filter { !heldout[$0].endsInLoop }
    return Array((others + loops).prefix(DraftSample.count))
  }

  /// Writes the drafter to the best one's folder if its acceptance is higher; returns the best.
  private func keepBest(_ acceptance: HeldoutAcceptance) throws -> BestDrafter {
    let length = acceptance.acceptanceLength
    if let best = try BestDrafter(in: options.output), best.acceptanceLength >= length {
      return best
    }
    let best = BestDrafter(step: stepCount, acceptanceLength: length)
    let folder = BestDrafter.folder(in: options.output)
    try OutputFolder.make(folder)
    Leftovers.remove(in: folder)
    try DrafterExport.write(model, type: options.exportType, metadata: best.metadata, to: folder)
    return best
  }

  /// Removes the best drafter of a run whose checkpoint is gone.
  func removeBest() throws {
    guard try BestDrafter(in: options.output) != nil else { return }
    let folder = BestDrafter.folder(in: options.output)
    do {
      try FileManager.default.removeItem(at: folder)
    } catch {
      throw SpeculateError("can't remove \(folder.path): \(systemReason(error))")
    }
  }
}
