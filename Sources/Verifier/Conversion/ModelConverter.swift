import Files
package import Foundation
package import Tensors

/// Writes a model's folder with its matrices in other formats (docs/formats.md).
///
/// Tensors are converted one after the other and in pieces, so that memory stays small whatever the
/// model's size. The folder appears whole or not at all. It doesn't judge the result; perplexity does.
package struct ModelConverter {
  package let formats: WeightFormats

  private let origin: ModelOrigin
  private let entries: [TensorConversion]

  /// Plans a folder.
  ///
  /// - Throws: `SpeculateError` if a tensor can't be held in its format.
  package init(_ origin: ModelOrigin, formats: WeightFormats) throws {
    self.origin = origin
    self.formats = formats
    entries = try Self.conversions(origin, formats)
  }

  package var tensorCount: Int { entries.reduce(0) { $0 + $1.outputCount } }
  /// What a user should know of the result.
  package var notes: [String] {
    origin.isRounded && formats.isQuantized
      ? [
        "\(origin.url.path) holds weights that were rounded before; each rounding adds to the last"
      ]
      : []
  }

  package var convertedBytes: Int { entries.reduce(0) { $0 + $1.convertedBytes } }

  /// Writes the folder.
  ///
  /// - Parameters:
  ///   - destination: The folder to make.
  ///   - replaces: Whether a model's folder that is there already is replaced.
  ///   - files: Further files by name: of a model out of a GGUF file, the tokenizer's.
  ///   - onPiece: Called often, with the tensors done; what it throws ends the conversion and leaves
  ///     nothing behind.
  /// - Throws: `SpeculateError` if the folder exists or can't be written, or a tensor is damaged.
  package func write(
    to destination: URL, replaces: Bool, files: [String: Data] = [:],
    onPiece: @escaping (_ done: Int) throws -> Void
  ) throws {
    let others = origin.file == nil ? try otherFiles() : []
    let names = others.map(\.lastPathComponent) + ["config.json", "model.safetensors"]
    let folder = try ReplacedFolder(
      destination, replaces: replaces, names: Set(names + files.keys), source: origin.url)
    defer { folder.abandon() }
    var done = 0
    let outputs = entries.flatMap { entry in
      entry.outputs { finished in
        if finished { done += 1 }
        try onPiece(done)
      }
    }
    try SafetensorsWriter.write(
      outputs, metadata: ["format": "pt"],
      to: folder.temporary.appending(path: "model.safetensors"))
    try AtomicFile.write(
      convertedConfiguration(), to: folder.temporary.appending(path: "config.json"))
    for (name, content) in files {
      try AtomicFile.write(content, to: folder.temporary.appending(path: name))
    }
    do {
      for file in others {
        try FileManager.default.copyItem(
          at: file.resolvingSymlinksInPath(),
          to: folder.temporary.appending(path: file.lastPathComponent))
      }
    } catch {
      throw SpeculateError(
        "\(origin.url.path): its other files can't be copied: \(systemReason(error))")
    }
    try folder.commit()
  }

  /// `config.json` as it was, or as the metadata of a GGUF file says it, with a note of the formats.
  private func convertedConfiguration() throws -> Data {
    let isUniform = formats.head == formats.layers && formats.embedding == formats.layers
    let isFloat = isUniform && !formats.isQuantized
    var noted = origin.folderConfiguration
    noted.quantization = formats
    if origin.file != nil {
      noted.elementType = formats.layers == .bf16 ? .bf16 : .f32
      if isFloat { noted.quantization = nil }
      return try noted.encoded()
    }
    let file = try ConfigurationFile(url: origin.url.appending(path: "config.json"))
    var members = file.members
    if let note = try JSONValue(parsing: String(decoding: noted.encoded(), as: UTF8.self))[
      ModelConfiguration.quantizationKey]
    {
      members[ModelConfiguration.quantizationKey] = note
    }
    if isFloat {
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
        at: origin.url, includingPropertiesForKeys: [.isRegularFileKey], options: .skipsHiddenFiles
      ).filter { file in
        let name = file.lastPathComponent
        guard kept.contains(name) || !weights.contains(where: name.hasSuffix) else { return false }
        return try file.resolvingSymlinksInPath().resourceValues(forKeys: [.isRegularFileKey])
          .isRegularFile == true
      }
    } catch {
      throw SpeculateError("\(origin.url.path): can't be read: \(systemReason(error))")
    }
  }

  private static func conversions(
    _ origin: ModelOrigin, _ formats: WeightFormats
  ) throws -> [TensorConversion] {
    let names = origin.configuration.family.tensors
    // What vectors of bf16 became when a GGUF file was made of them.
    let narrows = origin.file != nil && formats.layers == .bf16
    let path = origin.url.path
    return try origin.folderTensors().flatMap { tensor -> [TensorConversion] in
      func converted(as name: String, to format: WeightFormat) throws -> TensorConversion {
        // Groups of integers are those of inputs.
        let origin =
          tensor.isTransposed && format.isQuantized ? tensor.origin.transposed : tensor.origin
        return try TensorConversion(origin, as: name, to: format, path: path)
      }
      switch tensor.part {
      case .other: return [try TensorConversion(keeping: tensor.origin, narrows: narrows)]
      case .matrix: return [try converted(as: tensor.name, to: formats.layers)]
      case .head: return [try converted(as: tensor.name, to: formats.head)]
      case .embedding:
        let own = try converted(as: names.embedding, to: formats.embedding)
        guard origin.isTied, formats.head != formats.embedding else { return [own] }
        return [own, try converted(as: names.head, to: formats.head)]
      }
    }
  }
}
