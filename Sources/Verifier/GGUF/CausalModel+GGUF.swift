package import Files
import Foundation
package import Tensors

extension CausalModel {
  /// Loads a GGUF model.
  ///
  /// - Parameter weights: How to hold the matrices and the embedding. As stored means every matrix in
  ///   the format that the file has it in: blocks of several types in one model are usual.
  /// - Throws: `SpeculateError` when the architecture, a feature or a type of tensors isn't supported, or
  ///   when metadata and tensors disagree.
  package convenience init(_ file: GGUFFile, weights: WeightFormatChoice = .stored) throws {
    let configuration = try ModelConfiguration(file)
    let architecture = try GGUFArchitecture.of(try GGUFSettings(file))
    let places = architecture.places(of: configuration, in: file)
    let names = configuration.family.tensors
    let headName = configuration.tiesEmbeddings ? names.embedding : names.head
    let stored = try Self.storedFormats(configuration, file, places, headName: headName)
    let chosen = weights.applied(to: stored)
    var kept: Set<String> = []
    if weights.layers == nil {
      for layer in 0..<configuration.layerCount {
        kept.formUnion(configuration.layout(ofLayer: layer).tensors.map(\.tensor.name))
      }
    }
    let source = GGUFSource(
      file, places: places, kept: kept, floatActivations: weights.floatActivations)
    try self.init(
      configuration, formats: chosen, source: source, embeddingName: names.embedding,
      headName: headName, path: file.url.path)
    try source.finish(ignoring: GGUFArchitecture.settings.contains)
  }

  /// The formats that a GGUF model's weights are stored in; of the layers, the one of most bytes.
  ///
  /// - Throws: As `init(_:weights:)`, for what can be seen without loading.
  package static func storedFormats(_ file: GGUFFile) throws -> WeightFormats {
    let configuration = try ModelConfiguration(file)
    let names = configuration.family.tensors
    return try storedFormats(
      configuration, file,
      try GGUFArchitecture.of(try GGUFSettings(file)).places(of: configuration, in: file),
      headName: configuration.tiesEmbeddings ? names.embedding : names.head)
  }

  private static func storedFormats(
    _ configuration: ModelConfiguration, _ file: GGUFFile, _ places: [String: GGUFSource.Place],
    headName: String
  ) throws -> WeightFormats {
    func format(_ name: String) throws -> WeightFormat? {
      try places[name].flatMap { file.tensor($0.name) }.map {
        try GGUFSource.format(of: $0, in: file)
      }
    }
    var weights: [WeightFormat: Int] = [:]
    var most = WeightFormat.f32
    for layer in 0..<configuration.layerCount {
      for (_, tensor) in configuration.layout(ofLayer: layer).tensors where tensor.shape.count == 2
      {
        guard let format = try format(tensor.name) else { continue }
        weights[format, default: 0] += tensor.shape[0] * tensor.shape[1]
        if weights[format, default: 0] > weights[most, default: 0] { most = format }
      }
    }
    return WeightFormats(
      layers: most, head: try format(headName),
      embedding: try format(configuration.family.tensors.embedding))
  }
}
