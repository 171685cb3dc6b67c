import Files
package import Foundation
package import Tensors

/// Writes a model's folder with its matrices in other formats (docs/formats.md).
///
/// Tensors are converted one after the other and in pieces, so that memory stays small whatever the
/// model's size. The folder appears whole or not at all. It doesn't judge the result; perplexity does.
package struct ModelConverter {
  package let source: URL
  package let formats: WeightFormats

  private let configuration: ModelConfiguration
  private let checkpoint: Checkpoint
  private let entries: [TensorConversion]

  /// Reads the configuration and the headers of the weights.
  ///
  /// - Throws: `SpeculateError` if the folder is no supported model, or a converted one already, or a
  ///   tensor has no place in it.
  package init(source: URL, formats: WeightFormats) throws {
    self.source = source
    self.formats = formats
    let read = try ModelConfiguration(directory: source)
    checkpoint = try CausalModel.checkpoint(read, source)
    configuration = read.naming(experts: checkpoint)
    if let stored = configuration.quantization {
      throw SpeculateError(
        "\(source.path): is converted already (\(stored)); convert the original, or each rounding "
          + "adds to the last")
    }
    // Millions of names of experts that no file has would take all memory.
    let last = configuration.family.tensors.prefix(ofLayer: configuration.layerCount - 1)
    guard configuration.experts == nil || checkpoint.names.contains(where: { $0.hasPrefix(last) })
    else {
      throw SpeculateError(
        "\(source.path): num_hidden_layers is \(configuration.layerCount), but no tensor's name begins "
          + "with \(quoted(last)); config.json and the weights are not of the same model")
    }
    entries = try Self.conversions(checkpoint, configuration, formats)
  }

  package var tensorCount: Int { entries.reduce(0) { $0 + $1.outputCount } }

  package var sourceBytes: Int { entries.reduce(0) { $0 + $1.sourceBytes } }
  package var convertedBytes: Int { entries.reduce(0) { $0 + $1.convertedBytes } }

  /// Writes the folder.
  ///
  /// - Parameters:
  ///   - destination: The folder to make.
  ///   - replaces: Whether a model's folder that is there already is replaced.
  ///   - onPiece: Called often, with the tensors done; what it throws ends the conversion and leaves
  ///     nothing behind.
  /// - Throws: `SpeculateError` if the folder exists or can't be written, or a tensor is damaged.
  package func write(
    to destination: URL, replaces: Bool, onPiece: @escaping (_ done: Int) throws -> Void
  ) throws {
    let others = try otherFiles()
    let names = Set(others.map(\.lastPathComponent) + ["config.json", "model.safetensors"])
    let folder = try ReplacedFolder(
      destination, replaces: replaces, names: names, source: source)
    defer { folder.abandon() }
    var done = 0
    let outputs = entries.flatMap { entry in
      entry.outputs(of: checkpoint) { finished in
        if finished { done += 1 }
        try onPiece(done)
      }
    }
    try SafetensorsWriter.write(
      outputs, metadata: ["format": "pt"],
      to: folder.temporary.appending(path: "model.safetensors"))
    try AtomicFile.write(
      convertedConfiguration(), to: folder.temporary.appending(path: "config.json"))
    do {
      for file in others {
        try FileManager.default.copyItem(
          at: file.resolvingSymlinksInPath(),
          to: folder.temporary.appending(path: file.lastPathComponent))
      }
    } catch {
      throw SpeculateError(
        "\(source.path): its other files can't be copied: \(systemReason(error))")
    }
    try folder.commit()
  }

  /// `config.json` as it was, with a note of the formats.
  private func convertedConfiguration() throws -> Data {
    let file = try ConfigurationFile(url: source.appending(path: "config.json"))
    var noted = configuration
    noted.quantization = formats
    var members = file.members
    if let note = try JSONValue(parsing: String(decoding: noted.encoded(), as: UTF8.self))[
      ModelConfiguration.quantizationKey]
    {
      members[ModelConfiguration.quantizationKey] = note
    }
    let isUniform = formats.head == formats.layers && formats.embedding == formats.layers
    if isUniform && !formats.isQuantized {
      members[ModelConfiguration.quantizationKey] = nil
      let name = formats.layers == .bf16 ? "bfloat16" : "float32"
      for key in ["torch_dtype", "dtype"] where members[key] != nil {
        members[key] = .string(name)
      }
    }
    return JSONValue.object(members).encoded()
  }

  /// Tokenizer, chat template, licence: everything but weights and `config.json`.
  private func otherFiles() throws -> [URL] {
    let weights = [
      ".safetensors", ".safetensors.zst", ".safetensors.index.json", ".bin", ".bin.index.json",
      ".pt", ".pth", ".gguf", ".onnx", ".h5", ".msgpack", "config.json",
    ]
    let kept = ["generation_config.json", "tokenizer_config.json"]
    do {
      return try FileManager.default.contentsOfDirectory(
        at: source, includingPropertiesForKeys: [.isRegularFileKey], options: .skipsHiddenFiles
      ).filter { file in
        let name = file.lastPathComponent
        guard kept.contains(name) || !weights.contains(where: name.hasSuffix) else { return false }
        return try file.resolvingSymlinksInPath().resourceValues(forKeys: [.isRegularFileKey])
          .isRegularFile == true
      }
    } catch {
      throw SpeculateError("\(source.path): can't be read: \(systemReason(error))")
    }
  }

  private static func conversions(
    _ checkpoint: Checkpoint, _ configuration: ModelConfiguration, _ formats: WeightFormats
  ) throws -> [TensorConversion] {
    let embedding = configuration.family.tensors.embedding
    let head = configuration.family.tensors.head
    var matrices: [String: NamedShape] = [:]
    var experts: [String: [NamedShape]] = [:]
    var others: Set<String> = []
    for layer in 0..<configuration.layerCount {
      for (role, tensor) in configuration.layout(ofLayer: layer).tensors {
        if tensor.shape.count != 2 || role.isRouter {
          others.insert(tensor.storedName)
        } else if tensor.part?.shape == nil {
          matrices[tensor.storedName] = tensor
        } else {
          experts[tensor.storedName, default: []].append(tensor)
        }
      }
    }
    if let positions = configuration.positions { others.insert(positions.name) }
    let tied = try configuration.tiesEmbeddings && !TiedHead.differs(configuration, checkpoint)
    let tiedName = checkpoint.shape(of: embedding) == nil ? head : embedding
    return try checkpoint.names.flatMap { name -> [TensorConversion] in
      if configuration.family.tensors.isComputed(name) { return [] }
      if let taken = try TensorConversion.taking(experts, outOf: name, formats.layers, checkpoint) {
        return taken
      }
      if tied && (name == embedding || name == head) {
        guard name == tiedName else { return [] }
        var both = [
          try TensorConversion(name, as: embedding, to: formats.embedding, checkpoint)
        ]
        if formats.head != formats.embedding {
          both.append(try TensorConversion(name, as: head, to: formats.head, checkpoint))
        }
        return both
      }
      let format: WeightFormat? =
        switch name {
        case embedding: formats.embedding
        case head: formats.head
        case _ where matrices[name] != nil: formats.layers
        default: nil
        }
      if format == nil, checkpoint.shape(of: name)?.count != 1,
        !others.contains(name)
      {
        throw SpeculateError(
          "\(checkpoint.url.path): tensor \(quoted(name)) has no place in the model that config.json "
            + "describes; check that both belong together")
      }
      return [
        try TensorConversion(
          name, as: name, to: format, isTransposed: matrices[name]?.part?.isTransposed ?? false,
          checkpoint)
      ]
    }
  }
}
