package import Files
package import Foundation
import Tensors

/// A model that is converted: a folder, or a GGUF file.
package struct ModelOrigin {
  /// A tensor under the family's name for it.
  struct Tensor {
    let name: String
    let part: Part
    let origin: TensorOrigin
  }

  /// What a tensor is, as far as formats go.
  enum Part {
    case embedding, head, matrix, vector
  }

  /// The folder or the file.
  package let url: URL
  package let configuration: ModelConfiguration
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
      configuration = try ModelConfiguration(file)
      tensors = try Self.tensors(of: configuration, in: file)
    } else {
      file = nil
      configuration = try ModelConfiguration(directory: url)
      if let stored = configuration.quantization {
        throw SpeculateError(
          "\(url.path): is converted already (\(stored)); convert the original, or each rounding "
            + "adds to the last")
      }
      tensors = try Self.tensors(of: configuration, in: try Checkpoint(directory: url))
    }
    try checkPresence()
  }

  package var byteCount: Int { tensors.reduce(0) { $0 + $1.origin.byteCount } }

  /// Whether a matrix is rounded to blocks of small integers.
  var isRounded: Bool { tensors.contains(where: \.origin.isRounded) }

  /// What must not be written over.
  package var files: [URL] { file?.files ?? [url] }

  private static func tensors(
    of configuration: ModelConfiguration, in checkpoint: Checkpoint
  ) throws -> [Tensor] {
    let names = configuration.family.tensors
    let isTied = configuration.tiesEmbeddings
    let tied = checkpoint.shape(of: names.embedding) == nil ? names.head : names.embedding
    let parts = parts(of: configuration)
    return try checkpoint.names.compactMap { name -> Tensor? in
      if name.hasSuffix(".rotary_emb.inv_freq") { return nil }
      if isTied && (name == names.embedding || name == names.head) {
        guard name == tied else { return nil }
        return Tensor(
          name: names.embedding, part: .embedding, origin: try TensorOrigin(name, in: checkpoint))
      }
      guard let part = parts[name] else {
        throw SpeculateError(
          "\(checkpoint.url.path): tensor \(quoted(name)) has no place in the model that config.json "
            + "describes; check that both belong together")
      }
      return Tensor(name: name, part: part, origin: try TensorOrigin(name, in: checkpoint))
    }
  }

  private static func tensors(
    of configuration: ModelConfiguration, in file: GGUFFile
  ) throws -> [Tensor] {
    let places = try GGUFArchitecture.of(try GGUFSettings(file)).places(of: configuration)
    let parts = parts(of: configuration)
    return try places.keys.sorted().compactMap { name -> Tensor? in
      guard let place = places[name], let tensor = file.tensor(place.name), let part = parts[name]
      else { return nil }
      return Tensor(
        name: name, part: part,
        origin: try TensorOrigin(name, tensor, order: place.order, in: file))
    }
  }

  private static func parts(of configuration: ModelConfiguration) -> [String: Part] {
    let names = configuration.family.tensors
    var parts: [String: Part] = [
      names.embedding: .embedding, names.head: .head, names.finalNorm: .vector,
    ]
    for layer in 0..<configuration.layerCount {
      for (_, tensor) in configuration.layout(ofLayer: layer).tensors {
        parts[tensor.name] = tensor.shape.count > 1 ? .matrix : .vector
      }
    }
    return parts
  }

  /// Checks that every tensor of the model is there, in its shape.
  private func checkPresence() throws {
    let shapes = Dictionary(tensors.map { ($0.name, $0.origin.shape) }) { first, _ in first }
    let c = configuration
    let table = [c.vocabularySize, c.hiddenSize]
    var wanted = [
      NamedShape(c.family.tensors.embedding, table),
      NamedShape(c.family.tensors.finalNorm, [c.hiddenSize]),
    ]
    if !c.tiesEmbeddings { wanted.append(NamedShape(c.family.tensors.head, table)) }
    for layer in 0..<c.layerCount { wanted += c.layout(ofLayer: layer).tensors.map(\.tensor) }
    for tensor in wanted where shapes[tensor.name] != tensor.shape {
      throw SpeculateError(
        shapes[tensor.name].map {
          "\(url.path): tensor \(quoted(tensor.name)) has shape \($0), but \(tensor.shape) is needed; "
            + "the configuration and the weights are not of the same model"
        }
          ?? "\(url.path): there is no tensor \(quoted(tensor.name)) of shape \(tensor.shape); the "
          + "checkpoint is incomplete or of another model")
    }
  }
}
