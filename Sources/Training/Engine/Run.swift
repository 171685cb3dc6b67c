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
  /// Threads of all ranks in the last session; results don't depend on them.
  package var threads: Int
  /// Partial sums of a step's gradient, on which results depend (``Exchange``); nil in checkpoints of earlier
  /// versions, where each thread was one.
  package var lanes: Int?
  /// What they are rounded to; nil in checkpoints of earlier versions, where nothing was.
  package var sums: SumPrecision?
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
/// moments. A run that is resumed gives bit for bit the values of one that never stopped, on any number of
/// threads and ranks.
///
/// Where there are several ranks the first one reads and writes the checkpoint, and gives the others what it
/// holds.
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
  /// The lanes of the run, and the ranks that they are spread over.
  package let exchange: Exchange
  /// Told the step of each checkpoint that was written.
  package var didSave: (Int) -> Void = { _ in }
  /// What is to be said of how the run goes on.
  package let remarks: [String]
  let optimizer: AdamW
  private let origin: URL?

  /// Goes on from the checkpoint in the output folder, or begins where there is none.
  ///
  /// - Parameters:
  ///   - start: Where a run begins.
  ///   - frozen: Names of tensors that keep their values.
  ///   - hasIdleLanes: Whether a run of one rank has a lane for each thread even where a step has fewer
  ///     sequences.
  ///   - make: Makes the model, whose matrix products round as it is told.
  ///   - origin: The file or folder that the first values come from; nil for random ones.
  ///   - initialize: Gives a model its first values, if its own aren't meant.
  package init(
    _ options: RunOptions, from start: Position, frozen: Set<String> = [],
    hasIdleLanes: Bool = true,
    origin: URL? = nil, model make: (ProductPrecision) -> Model, initialize: (Model) throws -> Void
  ) throws {
    let ranks = options.ranks
    let threads = try ranks.sum([options.threads]) as Int
    var saved: TrainingCheckpoint<Header>?
    var begun: Header?
    if ranks.isFirst {
      let found = try Self.saved(in: options.output)
      saved = found.checkpoint
      remarks = found.remark.map { [$0] } ?? []
      begun = try Self.header(saved?.header, start, options, threads, hasIdleLanes)
    } else {
      remarks = []
    }
    guard let header = try ranks.broadcast(coded: begun) else {
      preconditionFailure("the first rank gives a header")
    }
    let lanes = header.lanes ?? threads
    guard lanes >= ranks.rankCount else {
      throw SpeculateError(
        "the run has \(lanes) ‘lanes’, fewer than its \(ranks.rankCount) ranks: start at most \(lanes)"
          + (header.step > 0 ? ", or give another ‘output’" : ", or give more ‘lanes’ and ‘batch’"))
    }
    exchange = Exchange(ranks: ranks, laneCount: lanes, precision: header.sums ?? .f32)
    precision = header.precision ?? .f32
    try ranks.agree(
      [
        "kernel": MatrixProduct(precision).kernels, "instruction set": "\(InstructionSet.best)",
        "data": try Self.text(start),
      ],
      advice: "give all ranks the same program, the same files, and processors of one kind")
    self.options = options
    self.origin = origin
    self.header = header
    resumedStep = header.step
    model = make(precision)
    optimizer = AdamW(
      options.optimizer, layout: model.layout, stepCount: header.step, frozen: frozen)
    if let saved {
      try saved.restore(model.layout, values)
    } else if ranks.isFirst {
      try initialize(model)
      if let origin { try checkFirstValues(from: origin) }
    }
    for (_, buffer) in values {
      try ranks.broadcast(
        UnsafeMutableRawBufferPointer(
          start: buffer.base, count: buffer.count * MemoryLayout<Float>.stride))
    }
  }

  /// What a run begins with that goes on from a checkpoint, or from `start` without one.
  ///
  /// - Throws: `SpeculateError` when the checkpoint is of another run.
  private static func header(
    _ saved: Header?, _ start: Position, _ options: RunOptions, _ threads: Int, _ hasIdleLanes: Bool
  ) throws -> Header {
    let url = options.output.trainingCheckpoint
    func lanes(ofThreads count: Int, idle: Bool) -> Int {
      idle && hasIdleLanes ? count : min(count, options.sequences)
    }
    guard let saved else {
      if let lanes = options.lanes, lanes > options.sequences {
        throw SpeculateError(
          "‘lanes’ is \(lanes), but a step has \(options.sequences) sequences: give at most as many, or a "
            + "greater ‘batch’")
      }
      return Header(
        RunPosition(
          seed: options.seed, threads: threads,
          lanes: options.lanes ?? lanes(ofThreads: threads, idle: options.ranks.isAlone),
          sums: options.sumPrecision ?? .f32,
          precision: options.precision ?? .fastest), start)
    }
    if saved.step < 0 || saved.threads < 1 || saved.lanes ?? 1 < 1 {
      throw TrainingCheckpoint<Header>.damage(url)
    }
    if saved.seed != options.seed {
      throw SpeculateError(
        "\(url.path) was made with ‘seed’ \(saved.seed): give it again or another ‘output’")
    }
    if let objection = saved.own.objection(to: start) {
      throw SpeculateError("\(url.path) \(objection)")
    }
    /// What the checkpoint says, and what is wanted only if it agrees.
    func kept<Value: Equatable>(_ setting: String, _ stored: Value, _ wanted: Value?) throws
      -> Value
    {
      guard let wanted, wanted != stored else { return stored }
      throw SpeculateError(
        "\(url.path) was made with ‘\(setting)’ \(stored): give it again, leave it out, or give "
          + "another ‘output’")
    }
    var common = saved.common
    common.threads = threads
    common.precision = try kept("precision", saved.precision ?? .f32, options.precision)
    common.lanes = try kept(
      "lanes", saved.lanes ?? lanes(ofThreads: saved.threads, idle: true), options.lanes)
    common.sums = try kept("exchange", saved.sums ?? .f32, options.sumPrecision)
    return Header(common, saved.own)
  }

  private static func text(_ start: Position) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(start), as: UTF8.self)
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
    guard exchange.ranks.isFirst else { return }
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
    didSave(header.step)
  }

  private var values: [(prefix: String, buffer: FloatBuffer)] {
    [("", model.parameters), ("first.", optimizer.first), ("second.", optimizer.second)]
  }
}
