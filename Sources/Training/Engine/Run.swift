import CKernels
import Files
package import Foundation
import Tensors

/// What every checkpoint knows beside the values.
package struct RunPosition: Sendable, Equatable, Codable {
  package var step = 0
  /// Seconds of training so far, over all sessions.
  package var seconds = 0.0
  package var seed: UInt64
  /// Threads of the run: sums of gradients are bit-identical only with the same number.
  package var threads: Int
  /// What the factors of matrix products are rounded to; nil in checkpoints of earlier versions, where
  /// nothing was.
  package var precision: ProductPrecision?
  /// A report whose measurement was still to be made when the checkpoint was written, as JSON.
  package var pending: String?
}

/// What a recipe's checkpoints know beside that: what the run is made from, and where in its data it is.
package protocol RecipePosition: Codable, Sendable {
  /// Why a run that would begin at `fresh` can't go on from here, as what follows the checkpoint's name;
  /// nil if it can.
  func objection(to fresh: Self) -> String?
}

/// Where a training stands, and how that is kept from one session to the next.
///
/// The checkpoint in the output folder holds all of it: the positions in its header, the parameters, and the optimizer's
/// moments. A run that is resumed with the same number of threads gives bit for bit the values of one
/// that never stopped.
package final class Run<Position: RecipePosition, Model: TrainedModel> {
  package typealias Header = Joined<RunPosition, Position>

  package let options: RunOptions
  package let model: Model
  /// What the next checkpoint says beside the values.
  package var header: Header
  /// Steps taken before this session; more than 0 when a checkpoint was found.
  package let resumedStep: Int
  /// What the factors of matrix products are rounded to.
  package let precision: ProductPrecision
  /// What is to be said of how the run goes on.
  package let remarks: [String]
  let optimizer: AdamW
  private let origin: URL?

  /// Goes on from the checkpoint in the output folder, or begins where there is none.
  ///
  /// - Parameters:
  ///   - start: Where a run begins.
  ///   - frozen: Names of tensors that keep their values.
  ///   - make: Makes the model, whose matrix products round as it is told.
  ///   - origin: The file or folder that the first values come from; nil for random ones.
  ///   - initialize: Gives a model its first values, if its own aren't meant.
  package init(
    _ options: RunOptions, from start: Position, frozen: Set<String> = [],
    origin: URL? = nil, model make: (ProductPrecision) -> Model, initialize: (Model) throws -> Void
  ) throws {
    let url = options.output.trainingCheckpoint
    let (saved, remark) = try Self.saved(in: options.output)
    remarks = remark.map { [$0] } ?? []
    if let saved, saved.header.step < 0 { throw TrainingCheckpoint<Header>.damage(url) }
    if let seed = saved?.header.seed, seed != options.seed {
      throw SpeculateError(
        "\(url.path) was made with ‘seed’ \(seed): give it again or another ‘output’")
    }
    if let objection = saved?.header.own.objection(to: start) {
      throw SpeculateError("\(url.path) \(objection)")
    }
    let stored = saved.map { $0.header.precision ?? .f32 }
    if let stored, let wanted = options.precision, wanted != stored {
      throw SpeculateError(
        "\(url.path) was made with ‘precision’ \(stored.rawValue): give it again, leave it out, or "
          + "give another ‘output’")
    }
    precision = stored ?? options.precision ?? .fastest
    self.options = options
    self.origin = origin
    header = Header(
      RunPosition(
        step: saved?.header.step ?? 0, seconds: saved?.header.seconds ?? 0, seed: options.seed,
        threads: options.threads, precision: precision, pending: saved?.header.common.pending),
      saved?.header.own ?? start)
    resumedStep = header.step
    model = make(precision)
    optimizer = AdamW(
      options.optimizer, layout: model.layout, stepCount: header.step, frozen: frozen)
    if let saved {
      try saved.restore(model.layout, values)
    } else {
      try initialize(model)
      if let origin { try checkFirstValues(from: origin) }
    }
  }

  private func checkFirstValues(from origin: URL) throws {
    for entry in model.layout.entries {
      let values = UnsafeBufferPointer(
        start: model.parameters.base + entry.offset, count: entry.count)
      guard let wrong = values.first(where: { !$0.isFinite }) else { continue }
      throw SpeculateError(
        "\(origin.path): tensor \(quoted(entry.name)) holds \(wrong.isNaN ? "NaN" : "infinity"): the "
          + "weights are damaged; copy the model again, or start from another")
    }
  }

  /// The checkpoint in a folder, or the one before it where that one is damaged.
  private static func saved(
    in output: URL
  ) throws -> (checkpoint: TrainingCheckpoint<Header>?, remark: String?) {
    let (url, previous) = (output.trainingCheckpoint, output.previousCheckpoint)
    // A link that leads nowhere is no checkpoint that was deleted.
    var status = stat()
    guard lstat(url.path, &status) == 0 || errno != ENOENT else {
      try? FileManager.default.removeItem(at: previous)  // of a run whose checkpoint was deleted
      return (nil, nil)
    }
    do { return (try TrainingCheckpoint(contentsOf: url), nil) } catch {
      guard let checkpoint = try? TrainingCheckpoint<Header>(contentsOf: previous) else {
        throw error
      }
      // Else the next one written would take the place of the good one.
      guard rename(previous.path, url.path) == 0 else {
        throw SpeculateError(
          "\(url.path) is damaged: put \(previous.path) in its place, of step "
            + "\(checkpoint.header.step)")
      }
      return (
        checkpoint,
        "\(url.path) was damaged: going on from the copy before it, of step "
          + "\(checkpoint.header.step)"
      )
    }
  }

  /// Writes the checkpoint, and keeps the last one beside it.
  ///
  /// - Throws: `SpeculateError` also when a value isn't finite; the checkpoint then is the last one.
  func save() throws {
    let url = options.output.trainingCheckpoint
    guard values.allSatisfy({ ct_sum_squares($0.buffer.count, $0.buffer.base).isFinite }) else {
      // First values may be finite and still too great.
      let others = origin.map { ", or from other weights than those of \($0.path)" } ?? ""
      let advice =
        resumedStep > 0 || FileManager.default.fileExists(atPath: url.path)
        ? "\(url.path) holds a good step: go on from it with a lower ‘learning rate’"
        : "start again with a lower ‘learning rate’\(others)"
      throw SpeculateError("the parameters became infinite by step \(header.step); \(advice)")
    }
    let previous = options.output.previousCheckpoint
    if FileManager.default.fileExists(atPath: url.path) {
      try? FileManager.default.removeItem(at: previous)
      if link(url.path, previous.path) != 0 {
        try? FileManager.default.copyItem(at: url, to: previous)
      }
    }
    try TrainingCheckpoint.write(header, layout: model.layout, values, to: url)
  }

  private var values: [(prefix: String, buffer: FloatBuffer)] {
    [("", model.parameters), ("first.", optimizer.first), ("second.", optimizer.second)]
  }
}
