import Files
import Foundation
import Tensors
import Verifier

/// Computes what is to be stored of a target's passes, by the engine that serves.
///
/// A row of a pass is the same to the bit whatever rows share the pass, so these are the values that
/// ``TargetFeatures`` computes when nothing is stored.
final class FeatureGenerator {
  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let settings: FeatureSettings

  init(model: CausalModel, workers: Workers, settings: FeatureSettings, maximumLength: Int) throws {
    runner = CausalRunner(model: model, workers: workers, maximumRows: 64, taps: settings.layers)
    cache = try runner.makeCache(capacity: maximumLength)
    self.settings = settings
  }

  /// The features of every position.
  ///
  /// - Returns: `nil` when `shouldStop` says so.
  func record(of tokens: [Token], shouldStop: () -> Bool) -> FeatureRecord? {
    var record = FeatureRecord(tokens, settings: settings)
    var isStopped = false
    let k = settings.logProbabilities
    cache.reset()
    runner.read(tokens, into: cache, logits: k > 0 ? .all : .none) { piece in
      if !settings.layers.isEmpty { record.setTaps(piece, to: runner.taps) }
      if k > 0 {
        record.setMostProbable(from: piece.lowerBound) { tokens, logProbabilities in
          findMostProbable(rows: piece.count, tokens: tokens, logProbabilities: logProbabilities)
        }
      }
      isStopped = shouldStop()
      return !isStopped
    }
    return isStopped ? nil : record
  }

  /// Takes the most probable tokens of the last pass's rows: [rows][k] both.
  private func findMostProbable(
    rows: Int, tokens: UnsafeMutablePointer<Token>, logProbabilities: UnsafeMutablePointer<Float>
  ) {
    let (k, vocabulary) = (settings.logProbabilities, runner.model.configuration.vocabularySize)
    // Rows are divided among the workers.
    nonisolated(unsafe) let (logits, tokens, values) = (runner.logits, tokens, logProbabilities)
    let count = runner.workers.count
    runner.workers.run { worker in
      for row in (0..<rows).share(of: worker, among: count) {
        MostProbable.find(
          UnsafeBufferPointer(start: logits + row * vocabulary, count: vocabulary), count: k,
          tokens: tokens + row * k, logProbabilities: values + row * k)
      }
    }
  }
}

/// The head of a distribution.
enum MostProbable {
  /// Finds the most probable tokens, the most probable first and of equals the first one, with their
  /// natural log-probabilities at temperature 1.
  static func find(
    _ logits: UnsafeBufferPointer<Float>, count: Int, tokens: UnsafeMutablePointer<Token>,
    logProbabilities: UnsafeMutablePointer<Float>
  ) {
    precondition(count > 0 && count <= logits.count, "as many tokens as there are")
    var found = 0
    for (column, logit) in logits.enumerated() {
      guard found < count || logit > logProbabilities[count - 1] else { continue }
      // What is less probable moves one place down; the last falls out.
      var place = min(found, count - 1)
      while place > 0, logit > logProbabilities[place - 1] {
        logProbabilities[place] = logProbabilities[place - 1]
        tokens[place] = tokens[place - 1]
        place -= 1
      }
      logProbabilities[place] = logit
      tokens[place] = Token(column)
      found = min(found + 1, count)
    }
    let top = Double(logProbabilities[0])
    var sum = 0.0
    for logit in logits { sum += exp(Double(logit) - top) }
    for place in 0..<count {
      logProbabilities[place] = Float(Double(logProbabilities[place]) - top - log(sum))
    }
  }
}
