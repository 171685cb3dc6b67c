import Files
import Foundation
import Tensors
import Verifier

/// What the parameters of a pretraining run start from: another run's checkpoint, or a model's weights.
struct InitialModel {
  let architecture: CausalArchitecture
  /// The file or folder, as errors call it.
  let path: String
  private let source: Source

  private enum Source {
    case checkpoint(TrainingCheckpoint<PretrainHeader>)
    case weights(ModelWeights)
  }

  /// - Parameter url: The folder of a run, whose checkpoint has all digits of its parameters; or a model.
  init(_ url: URL) throws {
    if let checkpoint = Self.checkpoint(url) {
      let saved = try TrainingCheckpoint<PretrainHeader>(contentsOf: checkpoint)
      path = checkpoint.path
      if let complaint = saved.header.own.complaint { throw SpeculateError("\(path) \(complaint)") }
      architecture = saved.header.architecture
      source = .checkpoint(saved)
    } else {
      path = url.path
      architecture = try CausalArchitecture(ModelConfiguration(directory: url), name: path)
      source = .weights(try ModelWeights(url))
    }
  }

  /// The files that parameters come from.
  static func files(_ url: URL) throws -> [URL] {
    try checkpoint(url).map { [$0] } ?? ModelWeights(url).files
  }

  private static func checkpoint(_ folder: URL) -> URL? {
    let url = folder.trainingCheckpoint
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }

  /// Copies a tensor's values.
  func copy(_ name: String, shape: [Int], to values: UnsafeMutablePointer<Float>) throws {
    switch source {
    case .checkpoint(let saved): try saved.copy(name, shape: shape, to: values)
    case .weights(let weights):
      let read = try weights.trainedValues(name, shape: shape)
      values.update(from: read.base, count: read.count)
    }
  }
}
