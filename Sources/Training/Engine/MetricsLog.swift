import Files
package import Foundation

/// What a training run reports about a step.
package protocol StepMetrics: Encodable {
  var step: Int { get }
  /// The curves it adds a point to, by TensorBoard tag.
  var scalars: [(tag: String, value: Double)] { get }
}

/// The logs of a training run, which can be read while it goes on: `metrics.jsonl`, a JSON object a
/// line, and TensorBoard events in the folder `tensorboard`.
package final class MetricsLog {
  private let lines: FileHandle
  private let events: TensorBoardFile
  private let encoder: JSONEncoder

  /// Opens the logs at their end, or makes them.
  package init(folder: URL, step: Int) throws {
    let url = folder.appendingPathComponent("metrics.jsonl")
    if !FileManager.default.fileExists(atPath: url.path) {
      guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
        throw SpeculateError("can't write \(url.path): check the folder and its permissions")
      }
    }
    do {
      lines = try FileHandle(forWritingTo: url)
      try lines.seekToEnd()
    } catch {
      throw SpeculateError("can't write \(url.path): \(systemReason(error))")
    }
    events = try TensorBoardFile(folder: folder.appendingPathComponent("tensorboard"), step: step)
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
  }

  deinit { try? lines.close() }

  package func append(_ metrics: some StepMetrics) throws {
    try lines.write(contentsOf: encoder.encode(metrics) + Data("\n".utf8))
    try events.append(step: metrics.step, scalars: metrics.scalars)
  }
}

/// What every training reports about a step.
package struct StepProgress: Sendable, Equatable, Codable {
  package var step: Int
  package var steps: Int
  /// Mean loss since the last report, in nats.
  package var loss: Double
  /// The learning rate of the last step.
  package var rate: Float
  /// The gradient's norm before clipping, of the last step.
  package var gradientNorm: Double
  /// Seconds of training so far, over all sessions.
  package var seconds: Double
}

/// What a recipe reports beside that.
package protocol RecipeFigures: Codable, Sendable {
  var scalars: [(tag: String, value: Double)] { get }
}

extension Joined: StepMetrics where Common == StepProgress, Own: RecipeFigures {
  package var step: Int { common.step }
  package var scalars: [(tag: String, value: Double)] {
    [
      ("loss/train", common.loss), ("optimizer/learning_rate", Double(common.rate)),
      ("optimizer/gradient_norm", common.gradientNorm),
    ] + own.scalars
  }
}
