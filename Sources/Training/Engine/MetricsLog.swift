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

  /// Opens the logs, or makes them.
  ///
  /// - Parameter first: The first step that will be appended: what the logs say of it and later ones is of a
  ///   session that was lost, and is cut off.
  package init(folder: URL, from first: Int) throws {
    let url = folder.appendingPathComponent("metrics.jsonl")
    do {
      let written = (try? Data(contentsOf: url)) ?? Data()
      let kept = Self.lines(of: written, before: first)
      if kept != written || written.isEmpty { try AtomicFile.write(kept, to: url) }
      lines = try FileHandle(forWritingTo: url)
      try lines.seekToEnd()
    } catch let error as SpeculateError {
      throw error
    } catch {
      throw SpeculateError("can't write \(url.path): \(systemReason(error))")
    }
    events = try TensorBoardFile(folder: folder.appendingPathComponent("tensorboard"), step: first)
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
  }

  /// The lines of steps before `first`, each step once and in order; of a step told twice the later one.
  private static func lines(of log: Data, before first: Int) -> Data {
    struct Line: Decodable { var step: Int }
    var kept: [Data] = []
    var next = first
    for line in log.split(separator: UInt8(ascii: "\n")).reversed() {
      guard let step = try? JSONDecoder().decode(Line.self, from: line).step, step < next else {
        continue
      }
      kept.append(line + Data("\n".utf8))
      next = step
    }
    return Data(kept.reversed().joined())
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
