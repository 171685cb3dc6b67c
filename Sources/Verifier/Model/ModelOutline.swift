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
    let formats = try CausalModel.storedFormats(directory: directory)
    let check: (NamedShape) throws -> WeightFormat?
    let finish: () throws -> Void
    var embedding: NamedShape
    if GGUFFile.isMeant(by: directory) {
      let file = try GGUFFile(url: directory)
      configuration = try ModelConfiguration(file)
      let architecture = try GGUFArchitecture.of(try GGUFSettings(file))
      let source = GGUFSource(file, places: architecture.places(of: configuration, in: file))
      check = { try source.check($0) }
      finish = { try source.finish(ignoring: GGUFArchitecture.settings.contains) }
      embedding = configuration.embeddingTable
    } else {
      let read = try ModelConfiguration(directory: directory)
      let checkpoint = try CausalModel.checkpoint(read, directory)
      var named = read.naming(experts: checkpoint)
      if try TiedHead.differs(named, checkpoint) { named.tiesEmbeddings = false }
      configuration = named
      let source = CheckpointSource(checkpoint, path: directory.path)
      check = { try source.check($0) }
      let names = named.family.tensors
      finish = {
        try source.finish { name in
          names.isComputed(name) || (named.tiesEmbeddings && name.hasPrefix(names.head))
        }
      }
      embedding = named.embeddingTable
      if named.tiesEmbeddings, !source.holds(names.embedding), source.holds(names.head) {
        embedding = NamedShape(names.head, embedding.shape)
      }
    }
    let c = configuration
    for layer in 0..<c.layerCount {
      for (role, tensor) in c.layout(ofLayer: layer).tensors {
        let stored = try check(tensor) ?? formats.layers
        let share = role.expert == nil ? 1 : c.experts.map { $0.options.share } ?? 1
        add(tensor, role.isRouter ? .f32 : stored, read: share)
      }
    }
    for tensor in [c.finalNorm.weight, c.finalNorm.bias, c.positions, c.headBias] {
      guard let tensor else { continue }
      _ = try check(tensor)
      weightBytes += 4 * tensor.shape.reduce(1, *)
    }
    _ = try check(embedding)
    if !c.tiesEmbeddings { _ = try check(NamedShape(c.family.tensors.head, embedding.shape)) }
    try finish()
    let (rows, columns) = (c.vocabularySize, c.hiddenSize)
    let head = formats.head.matrixBytes(rows: rows, columns: columns)
    bytesPerToken += head
    weightBytes += head + formats.embedding.tableBytes(rows: rows, columns: columns)
  }

  /// - Parameter share: How much of it producing a token reads.
  private mutating func add(_ tensor: NamedShape, _ format: WeightFormat, read share: Double) {
    guard tensor.shape.count > 1 else {
      weightBytes += 4 * tensor.shape.reduce(1, *)
      return
    }
    let bytes = format.matrixBytes(rows: tensor.shape[0], columns: tensor.shape[1])
    weightBytes += bytes
    bytesPerToken += Int(share * Double(bytes))
  }
}

extension ModelConfiguration {
  fileprivate var embeddingTable: NamedShape {
    NamedShape(family.tensors.embedding, [vocabularySize, hiddenSize])
  }
}

extension ExpertOptions {
  /// The share of the experts that a row chooses.
  fileprivate var share: Double { Double(chosen) / Double(count) }
}
