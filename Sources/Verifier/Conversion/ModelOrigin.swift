package import Files
package import Foundation
import Tensors

/// A model that is converted: a folder, or a GGUF file.
package struct ModelOrigin {
  /// A tensor under the name that a folder of the family has for it.
  struct Tensor {
    let name: String
    let part: Part
    let origin: TensorOrigin
    /// Whether it is a matrix that is stored [in, out].
    var isTransposed = false
    /// Whether the model adds 1 to it.
    var addsOne = false
  }

  /// What a tensor is, as far as formats go; other tensors stay as they are.
  enum Part {
    case embedding, head, matrix, other
  }

  /// The folder or the file.
  package let url: URL
  package let configuration: ModelConfiguration
  /// Whether one tensor is the embedding and the head. With a configuration that ties them, a file may have
  /// a head of other values; then that counts.
  let isTied: Bool
  /// The file, if it is one.
  package let file: GGUFFile?
  /// The weights of a folder.
  private let checkpoint: Checkpoint?
  /// The same as a folder of the family says it: of a file, norms may store their scales otherwise there.
  let folderConfiguration: ModelConfiguration

  /// All tensors as a folder holds them; one that is embedding and head at once is there as the embedding.
  let tensors: [Tensor]

  /// Reads the configuration and the headers of the weights.
  ///
  /// - Throws: `SpeculateError` if it is no supported model, or a converted one already, or a tensor has
  ///   no place in it.
  package init(_ url: URL) throws {
    self.url = url
    if GGUFFile.isMeant(by: url) {
      let file = try GGUFFile(url: url)
      self.file = file
      let read = try ModelConfiguration(file)
      isTied = read.tiesEmbeddings
      checkpoint = nil
      (configuration, tensors) = try Self.read(read, file)
      let family = try GGUFArchitecture.of(try GGUFSettings(file)).family
      var folder = configuration
      (folder.family.norm, folder.family.headNorm) = (family.norm, family.headNorm)
      folderConfiguration = folder
    } else {
      file = nil
      let read = try ModelConfiguration(directory: url)
      if let stored = read.quantization {
        throw SpeculateError(
          "\(url.path): is converted already (\(stored)); convert the original, or each rounding "
            + "adds to the last")
      }
      let checkpoint = try CausalModel.checkpoint(read, url)
      self.checkpoint = checkpoint
      configuration = read.naming(experts: checkpoint)
      folderConfiguration = configuration
      // Millions of names of experts that no file has would take all memory.
      let last = configuration.family.tensors.prefix(ofLayer: configuration.layerCount - 1)
      guard
        configuration.experts == nil || checkpoint.names.contains(where: { $0.hasPrefix(last) })
      else {
        throw SpeculateError(
          "\(url.path): num_hidden_layers is \(configuration.layerCount), but no tensor's name begins "
            + "with \(quoted(last)); config.json and the weights are not of the same model")
      }
      isTied =
        try configuration.tiesEmbeddings && !TiedHead.differs(configuration, checkpoint)
      tensors = try Self.tensors(of: configuration, isTied: isTied, in: checkpoint)
    }
    try checkPresence()
  }

  package var byteCount: Int { tensors.reduce(0) { $0 + $1.origin.byteCount } }

  /// Whether a matrix is rounded to blocks of small integers.
  var isRounded: Bool { tensors.contains { $0.origin.blocks != nil } }

  /// What must not be written over.
  package var files: [URL] { file?.files ?? [url] }

  private static func tensors(
    of configuration: ModelConfiguration, isTied: Bool, in checkpoint: Checkpoint
  ) throws -> [Tensor] {
    let names = configuration.family.tensors
    let tied = checkpoint.shape(of: names.embedding) == nil ? names.head : names.embedding
    let places = StoredTensors(configuration)
    return try checkpoint.names.flatMap { name -> [Tensor] in
      if names.isComputed(name) { return [] }
      if let experts = places.experts(in: name) {
        return try experts.map {
          Tensor(
            name: $0.name, part: .matrix,
            origin: try TensorOrigin($0, in: checkpoint))
        }
      }
      if isTied && (name == names.embedding || name == names.head) {
        guard name == tied else { return [] }
        return [
          Tensor(
            name: names.embedding, part: .embedding, origin: try TensorOrigin(name, in: checkpoint))
        ]
      }
      guard let part = places.parts[name] else {
        throw SpeculateError(
          "\(checkpoint.url.path): tensor \(quoted(name)) has no place in the model that config.json "
            + "describes; check that both belong together")
      }
      return [
        Tensor(
          name: name, part: part, origin: try TensorOrigin(name, in: checkpoint),
          isTransposed: places.transposed.contains(name))
      ]
    }
  }

  /// All tensors of the model, each by itself, whatever a folder holds together.
  ///
  /// - Throws: `SpeculateError` if one is missing or isn't of floats.
  func modelTensors() throws -> [Tensor] {
    guard let checkpoint else { return tensors }
    let names = configuration.family.tensors
    let lessOne = configuration.scalesLessOne
    return try configuration.partedTensors.compactMap { wanted, part -> Tensor? in
      if isTied && wanted.name == names.head { return nil }
      let isElsewhere = isTied && checkpoint.shape(of: names.embedding) == nil
      let origin =
        wanted.name == names.embedding && isElsewhere
        ? try TensorOrigin(names.head, in: checkpoint) : try TensorOrigin(wanted, in: checkpoint)
      return Tensor(
        name: wanted.name, part: part, origin: origin,
        addsOne: lessOne.contains(wanted.name))
    }
  }

  /// The configuration and the tensors of a GGUF file, by the names that a folder has for them.
  private static func read(
    _ read: ModelConfiguration, _ file: GGUFFile
  ) throws -> (ModelConfiguration, [Tensor]) {
    let architecture = try GGUFArchitecture.of(try GGUFSettings(file))
    var configuration = read
    // A folder may have each expert by itself.
    configuration.family.tensors.layer.fusedExperts?.holdsWeights = false
    let places = architecture.places(of: configuration, in: file)
    let tensors = try configuration.partedTensors.compactMap { wanted, part -> Tensor? in
      guard let place = places[wanted.name], let tensor = file.tensor(place.name) else {
        return nil
      }
      return Tensor(
        name: wanted.name, part: part,
        origin: try TensorOrigin(wanted, tensor, at: place, in: file))
    }
    return (configuration, tensors.sorted { $0.name < $1.name })
  }

  /// Checks that every tensor of the model is there, in its shape as a folder holds it.
  private func checkPresence() throws {
    let shapes = Dictionary(tensors.map { ($0.name, $0.origin.shape) }) { first, _ in first }
    for tensor in configuration.namedTensors
    where !isTied || tensor.name != configuration.family.tensors.head {
      // An expert that is taken out of another tensor has its own name and shape by then.
      let isTaken = file != nil || tensor.part?.shape != nil && tensor.shape.count == 2
      let name = isTaken ? tensor.name : tensor.storedName
      let shape = isTaken ? tensor.shape : tensor.storedShape
      if shapes[name] == shape { continue }
      throw SpeculateError(
        shapes[name].map {
          "\(url.path): tensor \(quoted(name)) has shape \($0), but \(shape) is needed; the "
            + "configuration and the weights are not of the same model"
        }
          ?? "\(url.path): there is no tensor \(quoted(name)) of shape \(shape); the checkpoint is "
          + "incomplete or of another model")
    }
  }
}
