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

  /// All tensors; one that is embedding and head at once is there as the embedding.
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
      (configuration, tensors) = try Self.read(read, file)
    } else {
      file = nil
      let read = try ModelConfiguration(directory: url)
      if let stored = read.quantization {
        throw SpeculateError(
          "\(url.path): is converted already (\(stored)); convert the original, or each rounding "
            + "adds to the last")
      }
      let checkpoint = try CausalModel.checkpoint(read, url)
      configuration = read.naming(experts: checkpoint)
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
  var isRounded: Bool { tensors.contains(where: \.origin.isRounded) }

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
            origin: try TensorOrigin($0, of: experts.count, in: checkpoint))
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

  /// The configuration and the tensors of a GGUF file, by the names that a folder has for them.
  private static func read(
    _ read: ModelConfiguration, _ file: GGUFFile
  ) throws -> (ModelConfiguration, [Tensor]) {
    let architecture = try GGUFArchitecture.of(try GGUFSettings(file))
    var configuration = read
    // A folder may have each expert by itself.
    configuration.family.tensors.layer.fusedExperts?.holdsWeights = false
    guard read.family == architecture.family, configuration.isStoredPlainly else {
      throw SpeculateError(
        "\(file.url.path): models of the family \(quoted(read.family.name)) can't be converted from GGUF "
          + "files yet; convert the original folder")
    }
    let places = architecture.places(of: configuration, in: file)
    let parts = StoredTensors(configuration).parts
    let tensors = try configuration.namedTensors.compactMap { wanted -> Tensor? in
      guard let place = places[wanted.name], let tensor = file.tensor(place.name),
        let part = parts[wanted.name]
      else { return nil }
      return Tensor(
        name: wanted.name, part: part,
        origin: try TensorOrigin(wanted, tensor, at: place, in: file))
    }
    return (configuration, tensors.sorted { $0.name < $1.name })
  }

  /// Checks that every tensor of the model is there, in its shape.
  private func checkPresence() throws {
    let shapes = Dictionary(tensors.map { ($0.name, $0.origin.shape) }) { first, _ in first }
    for tensor in configuration.namedTensors
    where !isTied || tensor.name != configuration.family.tensors.head {
      // An expert that is taken out of another tensor has its own name and shape by then.
      let isTaken = tensor.part?.shape != nil && tensor.shape.count == 2
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

/// What the tensors that folders of a model hold are, by their names there.
private struct StoredTensors {
  /// All but those that hold several experts.
  private(set) var parts: [String: ModelOrigin.Part] = [:]
  /// Matrices that are stored [in, out].
  private(set) var transposed: Set<String> = []
  private var experts: [String: [NamedShape]] = [:]

  init(_ configuration: ModelConfiguration) {
    let names = configuration.family.tensors
    for tensor in configuration.namedTensors where parts[tensor.storedName] == nil {
      parts[tensor.storedName] = .other
    }
    (parts[names.embedding], parts[names.head]) = (.embedding, .head)
    for layer in 0..<configuration.layerCount {
      for (role, tensor) in configuration.layout(ofLayer: layer).tensors
      where tensor.shape.count == 2 && !role.isRouter {
        if tensor.part?.shape == nil {
          parts[tensor.storedName] = .matrix
          if tensor.part?.isTransposed == true { transposed.insert(tensor.storedName) }
        } else {
          parts[tensor.storedName] = nil
          experts[tensor.storedName, default: []].append(tensor)
        }
      }
    }
  }

  /// The experts that a tensor holds; nil for any other tensor, and none for one of their scales.
  func experts(in name: String) -> [NamedShape]? {
    if name.hasSuffix("_scales"), experts[String(name.dropLast(7))] != nil { return [] }
    let whole = name.hasSuffix("_blocks") ? String(name.dropLast(7)) : name
    return experts[name] ?? experts[whole]
  }
}

extension ModelConfiguration {
  /// All tensors, the head beside an embedding that it is tied to included.
  var namedTensors: [NamedShape] {
    let names = family.tensors
    let table = [vocabularySize, hiddenSize]
    let others = [
      NamedShape(names.embedding, table), NamedShape(names.head, table), finalNorm.weight,
      finalNorm.bias, positions, headBias,
    ].compactMap(\.self)
    return others + (0..<layerCount).flatMap { layout(ofLayer: $0).tensors.map(\.tensor) }
  }

  /// Whether each tensor of the layers is stored by itself, as it is computed with.
  var isStoredPlainly: Bool {
    (0..<layerCount).allSatisfy { layer in
      layout(ofLayer: layer).tensors.allSatisfy { $0.tensor.part == nil }
    }
  }
}
