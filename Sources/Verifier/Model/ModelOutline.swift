import Files
package import Foundation
import Tensors

/// What a model would take if it were loaded as it is stored: known from headers alone.
package struct ModelOutline: Sendable {
  package let configuration: ModelConfiguration
  /// Bytes of weights in memory.
  package private(set) var weightBytes = 0
  /// Bytes of weights that producing one token reads.
  package private(set) var bytesPerToken = 0

  /// Bytes of keys and values in f32 that a position takes.
  package var bytesPerPosition: Int {
    (0..<configuration.layerCount).reduce(0) { sum, layer in
      let shape = configuration.design(ofLayer: layer).shape
      return sum + 2 * 4 * shape.keyValueHeads * shape.headDimension
    }
  }

  /// Looks at a folder or a GGUF file as loading it would, and reads no value.
  ///
  /// - Throws: What loading it would, but for damaged values.
  package init(directory: URL) throws {
    configuration = try ModelConfiguration(directory: directory)
    let formats = try CausalModel.storedFormats(directory: directory)
    let names = configuration.family.tensors
    let table = [configuration.vocabularySize, configuration.hiddenSize]
    let layers = (0..<configuration.layerCount).flatMap {
      configuration.layout(ofLayer: $0).tensors.map(\.tensor)
    }
    let others = layers + [NamedShape(names.finalNorm, [configuration.hiddenSize])]
    if GGUFFile.isMeant(by: directory) {
      let file = try GGUFFile(url: directory)
      let architecture = try GGUFArchitecture.of(try GGUFSettings(file))
      let source = GGUFSource(file, places: architecture.places(of: configuration))
      for tensor in others { add(tensor, try source.check(tensor)) }
      try source.check(NamedShape(names.embedding, table))
      if !configuration.tiesEmbeddings { try source.check(NamedShape(names.head, table)) }
      try source.finish { $0 == GGUFArchitecture.ropeDivisors }
    } else {
      let checkpoint = try Checkpoint(directory: directory)
      let source = CheckpointSource(checkpoint, path: directory.path)
      for tensor in others {
        try source.check(tensor)
        add(tensor, formats.layers)
      }
      let isSingle =
        configuration.tiesEmbeddings && !source.has(names.embedding) && source.has(names.head)
      try source.check(NamedShape(isSingle ? names.head : names.embedding, table))
      if !configuration.tiesEmbeddings { try source.check(NamedShape(names.head, table)) }
      try source.finish { name in
        name.hasSuffix(".rotary_emb.inv_freq")
          || (configuration.tiesEmbeddings && name.hasPrefix(names.head))
      }
    }
    let head = formats.head.matrixBytes(rows: table[0], columns: table[1])
    bytesPerToken += head
    weightBytes += head + formats.embedding.tableBytes(rows: table[0], columns: table[1])
  }

  private mutating func add(_ tensor: NamedShape, _ format: WeightFormat) {
    guard tensor.shape.count > 1 else {
      weightBytes += 4 * tensor.shape.reduce(1, *)
      return
    }
    let rows = tensor.shape.dropLast().reduce(1, *)
    let bytes = format.matrixBytes(rows: rows, columns: tensor.shape[tensor.shape.count - 1])
    weightBytes += bytes
    bytesPerToken += bytes
  }
}
