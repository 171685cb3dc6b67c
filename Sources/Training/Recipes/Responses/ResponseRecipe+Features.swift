import Files
package import Foundation
import Verifier

extension ResponseRecipe {
  /// Makes the responses that are still missing, into a folder of its own that may be to hold features,
  /// too.
  ///
  /// - Parameters:
  ///   - ranks: The processes that prompts are dealt out to; the first one writes.
  ///   - features: What of the target's passes is to be stored; nil for nothing.
  ///   - shouldStop: Asked between passes; responses in the making are lost.
  /// - Returns: All responses in order, or `nil` when it was stopped before.
  /// - Throws: As without features, and when the folder was begun with another choice of them.
  package func run(
    _ options: ResponseOptions, features: FeatureChoice? = nil, folder: URL,
    ranks: any Communicator = SingleRank(), shouldStop: () -> Bool,
    report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    if let features { try check(features) }
    let settings = try features.map { try self.settings($0, in: folder) }
    let plan = try plan(options, folder: folder)
    if ranks.isFirst { try claim(folder, options) }
    try FeatureStore.check(in: folder, target: fingerprint(), choice: features)
    return try respond(
      plan, folder: folder, ranks: ranks,
      prepare: {
        // The choice holds from now on, wherever an interruption comes.
        if let settings { _ = try FeatureStore(in: folder, settings: settings) }
      }, shouldStop: shouldStop, report: report)
  }

  /// Stores the features that are still missing beside responses.
  ///
  /// - Parameters:
  ///   - ranks: The processes of the work, of which the first one does this alone.
  ///   - shouldStop: Asked between sequences; the shard in the making is lost.
  ///   - report: Told after each sequence.
  /// - Returns: Whether all are there.
  package func store(
    _ features: FeatureChoice, of responses: [Response], folder: URL,
    ranks: any Communicator = SingleRank(), shouldStop: () -> Bool,
    report: (FeatureProgress) -> Void
  ) throws -> Bool {
    guard ranks.isFirst else { return try ranks.broadcast(false) }
    try check(features)
    try claim(folder, nil)
    let store = try FeatureStore(in: folder, settings: settings(features, in: folder))
    let generator = try FeatureGenerator(
      model: target, workers: workers, settings: store.settings,
      maximumLength: responses.map(\.tokens.count).max() ?? 1)
    let wanted = store.missing(below: responses.count).reduce(0) { $0 + $1.count }
    var progress = FeatureProgress(sequences: 0, wanted: wanted, tokens: 0)
    let isComplete = try store.complete(responses.map(\.tokens)) { tokens in
      guard let record = generator.record(of: tokens, shouldStop: shouldStop) else { return nil }
      progress.sequences += 1
      progress.tokens += tokens.count
      report(progress)
      return record
    }
    return try ranks.broadcast(isComplete)
  }

  private func settings(_ features: FeatureChoice, in folder: URL) throws -> FeatureSettings {
    var choice = features
    choice.precision = try choice.precision ?? FeatureStore.precision(in: folder)
    return FeatureSettings(
      target: try fingerprint(), hidden: target.configuration.hiddenSize, choice: choice)
  }

  /// Says whether the target has what is wanted.
  private func check(_ features: FeatureChoice) throws {
    let configuration = target.configuration
    if let wrong = features.layers.first(where: { $0 < 0 || $0 >= configuration.layerCount }) {
      throw SpeculateError(
        "‘store taps’ names layer \(wrong), but the target has layers 0 to "
          + "\(configuration.layerCount - 1)")
    }
    guard features.logProbabilities <= configuration.vocabularySize else {
      throw SpeculateError(
        "‘store log-probabilities’ is \(features.logProbabilities), but the target has "
          + "\(configuration.vocabularySize) tokens: give fewer")
    }
  }
}

/// How far the storing of features is.
package struct FeatureProgress: Sendable, Equatable {
  /// Responses whose features this session made.
  package var sequences: Int
  /// Responses whose features were missing at its start.
  package var wanted: Int
  package var tokens: Int
}
