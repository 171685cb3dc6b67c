import Files
import Foundation
import Tensors
package import Verifier

/// Forces a causal model for Jacobi decoding (Jacobi Forcing, arXiv 2512.14681; docs/algorithms.md 7).
///
/// First the target answers prompts greedily, and its own Jacobi iteration along each answer is
/// recorded; then a model that starts as the target learns to foretell a block's end from its noisy
/// states. A run that is interrupted and resumed gives bit for bit the model of one that was not.
package final class ForceRecipe {
  private let options: ForceOptions
  private let responding: ResponseRecipe
  private let claim: OutputClaim?  // of the rank that writes
  private var plan: ResponseRecipe.Plan?  // until the responses are there
  private let evaluator: ForceEvaluator?

  /// The model that answers and is forced.
  package var target: CausalModel { responding.target }

  /// Opens the target, and checks all that the run will need before it answers for hours.
  ///
  /// - Parameter makesData: Whether the trajectories are all that is wanted: 'force data'.
  package init(_ options: ForceOptions, makesData: Bool = false) throws {
    self.options = options
    responding = try ResponseRecipe(
      target: options.target, workers: Workers(count: options.threads), chat: options.chat)
    let target = responding.target.configuration
    _ = try CausalArchitecture(target, name: options.target.path)
    var made: [OutputClaim.Input] = []
    switch options.trajectories {
    case .make(let wanted):
      guard wanted.temperature == 0 else {
        throw SpeculateError(
          "responses at temperature \(wanted.temperature) are no fixed points of greedy "
            + "iteration: leave out ‘temperature’")
      }
      if !makesData { try ForceTraining.check(trajectories: wanted.count, options) }
      plan = try responding.plan(
        wanted, folder: Self.folder(options.output, nil))
    case .made(let folder): made = [OutputClaim.Input("trajectories from", folder)]
    }
    evaluator = try options.heldout.map { [responding] in
      try ForceEvaluator(
        documents: $0, encoder: responding.encoder, sizes: options.evaluation, seed: options.seed,
        target: target, workers: responding.workers)
    }
    if let heldout = options.heldout { made.append(OutputClaim.Input("heldout", heldout)) }
    // The data's own settings are in its manifests, and more of it may be added.
    let job =
      makesData
      ? OutputClaim.Job("force data")
      : OutputClaim.Job(
        "force", settings: try options.settings(target: responding.fingerprint(), plan: plan))
    claim = try options.ranks.claim(
      options.output, for: job,
      apartFrom: responding.inputs(plan?.options) + made)
  }

  /// Makes the responses that are still missing, or reads those made earlier.
  ///
  /// - Returns: All responses in order, or nil when it was stopped before.
  package func respond(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    switch options.trajectories {
    case .make(let wanted):
      let plan = try self.plan ?? responding.plan(wanted, folder: folder(nil))
      self.plan = nil
      return try responding.respond(
        plan, folder: folder(nil), ranks: options.ranks, shouldStop: shouldStop, report: report)
    case .made: return try options.ranks.share { try responding.responses(in: folder(nil)) }
    }
  }

  /// Makes the trajectories that are still missing, or reads those made earlier.
  ///
  /// - Parameters:
  ///   - responses: What ``respond(shouldStop:report:)`` returned.
  ///   - shouldStop: Asked between passes; the one in the making is lost.
  /// - Returns: Those of every size of blocks that the run visits, or nil when it was stopped before.
  package func iterate(
    _ responses: [Response], shouldStop: () -> Bool, report: (TrajectoryProgress) -> Void
  ) throws -> [Int: [Trajectory]]? {
    let ranks = options.ranks
    let answers = ranks.isFirst ? try ResponseStore(existing: folder(nil)).settings : nil
    var made: [Int: [Trajectory]] = [:]
    for size in options.blockSizes {
      switch options.trajectories {
      case .make:
        let store = try answers.map {
          try TrajectoryStore(
            folder: folder(size), settings: TrajectorySettings(responses: $0, blockSize: size))
        }
        let all = try complete(store, responses, size: size, shouldStop: shouldStop, report: report)
        guard let all else { return nil }
        made[size] = all
      case .made:
        made[size] = try ranks.share {
          try answers.map { try trajectories(of: $0, size: size) } ?? []
        }
      }
    }
    // Folders made earlier may hold trajectories of more responses for one size than for another.
    let count = made.values.map(\.count).min() ?? 0
    return made.mapValues { Array($0.prefix(count)) }
  }

  /// Opens the training of a model on trajectories: resumed where a checkpoint is found.
  package func training(_ trajectories: [Int: [Trajectory]]) throws -> ForceTraining {
    try ForceTraining(
      options, claim: claim, target: responding.target, weights: responding.weights,
      fingerprint: responding.fingerprint(), evaluator: evaluator, workers: responding.workers,
      trajectories: trajectories)
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
    let all = try store.all()
    for trajectory in all {
      let tokens = trajectory.response.tokens + trajectory.guesses.joined().joined()
      try responding.check(tokens, in: folder, of: Trajectory.kind)
    }
    return all
  }

  /// Makes what is missing; returns all of it, or nil when it was stopped before.
  ///
  /// - Parameter store: nil on ranks that don't write.
  private func complete(
    _ store: TrajectoryStore?, _ responses: [Response], size: Int, shouldStop: () -> Bool,
    report: (TrajectoryProgress) -> Void
  ) throws -> [Trajectory]? {
    var passes = 0
    return try ShardMaking(ranks: options.ranks, store: store, wanted: responses.count).run(
      shouldStop: shouldStop,
      report: { made, trajectory, _ in
        passes += trajectory.passes
        report(
          TrajectoryProgress(
            blockSize: size, trajectories: made, wanted: responses.count, passes: passes))
      },
      make: { numbers, shouldStop, emit in
        let generator = try TrajectoryGenerator(
          model: responding.target, workers: responding.workers, blockSize: size,
          capacity: responses.map(\.tokens.count).max() ?? 1)
        for number in numbers {
          let made: Trajectory?
          do {
            made = try generator.trajectory(of: responses[number], shouldStop: shouldStop)
          } catch is Stopped { return false }
          guard let made else {
            throw SpeculateError(
              "response \(number) of \(folder(nil).path) isn't what the target writes greedily: make "
                + "responses with 'speculate force data'")
          }
          try emit(made, number)
        }
        return true
      })
  }

  private func folder(_ size: Int?) -> URL {
    switch options.trajectories {
    case .make: Self.folder(options.output, size)
    case .made(let folder): Self.folder(folder, size)
    }
  }

  /// The folder of responses, or of trajectories with blocks of a size.
  private static func folder(_ root: URL, _ size: Int?) -> URL {
    root.appendingPathComponent(size.map { "trajectories-\($0)" } ?? "responses")
  }
}
