import Files
import Foundation
import Tensors
import Verifier

/// Forces a causal model for Jacobi decoding (Jacobi Forcing, arXiv 2512.14681; docs/algorithms.md 7).
///
/// First the target answers prompts greedily, and its own Jacobi iteration along each answer is
/// recorded; then a model that starts as the target learns to foretell a block's end from its noisy
/// states. A run that is interrupted and resumed gives bit for bit the model of one that was not,
/// with the same number of threads.
package final class ForceRecipe {
  private let options: ForceOptions
  private let responding: ResponseRecipe

  package init(_ options: ForceOptions) throws {
    self.options = options
    responding = try ResponseRecipe(
      target: options.target, workers: Workers(count: options.threads))
    // Before the target answers for an hour.
    _ = try CausalArchitecture(responding.target.configuration, name: options.target.path)
    if case .make(let wanted) = options.trajectories { try responding.check(wanted) }
    try OutputFolder.make(options.output)
  }

  /// Makes the responses that are still missing, or reads those made earlier.
  ///
  /// - Returns: All responses in order, or nil when it was stopped before.
  package func respond(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    switch options.trajectories {
    case .make(let wanted):
      guard wanted.temperature == 0 else {
        throw SpeculateError(
          "responses at temperature \(wanted.temperature) are no fixed points of greedy "
            + "iteration: leave out ‘temperature’")
      }
      return try responding.run(wanted, folder: folder(nil), shouldStop: shouldStop, report: report)
    case .made: return try responding.responses(in: folder(nil))
    }
  }

  /// Makes the trajectories that are still missing, or reads those made earlier.
  ///
  /// - Parameters:
  ///   - responses: What ``respond(shouldStop:report:)`` returned.
  ///   - shouldStop: Asked after each; the one in the making is lost.
  /// - Returns: Those of every size of blocks that the run visits, or nil when it was stopped before.
  package func iterate(
    _ responses: [Response], shouldStop: () -> Bool, report: (TrajectoryProgress) -> Void
  ) throws -> [Int: [Trajectory]]? {
    let answers = try ResponseStore(existing: folder(nil))
    var made: [Int: [Trajectory]] = [:]
    for size in options.blockSizes {
      switch options.trajectories {
      case .make:
        let store = try TrajectoryStore(
          folder: folder(size),
          settings: TrajectorySettings(responses: answers.settings, blockSize: size))
        guard try complete(store, responses, size: size, shouldStop: shouldStop, report: report)
        else { return nil }
        made[size] = store.elements(below: responses.count)
      case .made: made[size] = try trajectories(of: answers.settings, size: size)
      }
    }
    // Folders made earlier may hold trajectories of more responses for one size than for another.
    let count = made.values.map(\.count).min() ?? 0
    return made.mapValues { Array($0.prefix(count)) }
  }

  /// Opens the training of a model on trajectories: resumed where a checkpoint is found.
  package func training(_ trajectories: [Int: [Trajectory]]) throws -> ForceTraining {
    try ForceTraining(
      options, target: responding.target, checkpoint: responding.checkpoint,
      fingerprint: responding.fingerprint(), encoder: responding.encoder,
      workers: responding.workers, trajectories: trajectories)
  }

  /// Trajectories that were made earlier, of all responses or the first of them.
  private func trajectories(of responses: ResponseSettings, size: Int) throws -> [Trajectory] {
    let folder = folder(size)
    let store = try TrajectoryStore(existing: folder)
    guard store.settings == TrajectorySettings(responses: responses, blockSize: size) else {
      throw SpeculateError(
        "\(folder.path) holds trajectories of other responses than those beside it: make some with "
          + "'speculate force data'")
    }
    return try store.all()
  }

  /// Makes what is missing; returns whether all is there.
  private func complete(
    _ store: TrajectoryStore, _ responses: [Response], size: Int, shouldStop: () -> Bool,
    report: (TrajectoryProgress) -> Void
  ) throws -> Bool {
    let missing = store.missing(below: responses.count)
    guard !missing.isEmpty else {
      // An interruption may have come between the last trajectory and this.
      try store.seal()
      return true
    }
    let generator = try TrajectoryGenerator(
      model: responding.target, workers: responding.workers, blockSize: size,
      capacity: responses.map(\.tokens.count).max() ?? 1)
    var count = responses.count - missing.reduce(0) { $0 + $1.count }
    var passes = 0
    for number in missing.joined() {
      guard let trajectory = generator.trajectory(of: responses[number]) else {
        throw SpeculateError(
          "response \(number) of \(folder(nil).path) isn't what the target writes greedily: make "
            + "responses with 'speculate force data'")
      }
      try store.append(trajectory)
      count += 1
      passes += trajectory.passes
      if count % 64 == 0 { try store.flush() }
      report(
        TrajectoryProgress(
          blockSize: size, trajectories: count, wanted: responses.count, passes: passes))
      if shouldStop(), count < responses.count {
        try store.flush()
        return false
      }
    }
    try store.seal()
    return true
  }

  /// The folder of responses, or of trajectories with blocks of a size.
  private func folder(_ size: Int?) -> URL {
    let root =
      switch options.trajectories {
      case .make: options.output
      case .made(let folder): folder
      }
    return root.appendingPathComponent(size.map { "trajectories-\($0)" } ?? "responses")
  }
}
