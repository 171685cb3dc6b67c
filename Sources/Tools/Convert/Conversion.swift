import Drafter
import Files
import Foundation
import Speculate
import Tensors
import Text
import Verifier

/// A conversion that is planned and checked, and only has to be written.
struct Conversion {
  /// The formats of the result.
  let formats: String
  let tensorCount: Int
  let sourceBytes: Int
  let convertedBytes: Int
  /// What a user should know of the result.
  let notes: [String]
  private let body:
    (URL, _ replaces: Bool, _ onPiece: @escaping (Int) throws -> Void) throws -> Void

  /// Writes the result.
  ///
  /// - Parameter onPiece: Called often, with the tensors done; what it throws ends the conversion and leaves
  ///   nothing behind.
  /// - Throws: `SpeculateError` if the destination may not be or can't be written.
  func write(
    to place: URL, replaces: Bool, onPiece: @escaping (Int) throws -> Void
  ) throws {
    try body(place, replaces, onPiece)
  }

  /// Whether a source is a block drafter.
  static func isDrafter(_ source: URL) throws -> Bool {
    if GGUFFile.isMeant(by: source) {
      guard try !DrafterConfiguration.isMeant(by: GGUFFile(url: source)) else {
        throw SpeculateError(
          "\(source.path): is a drafter in a GGUF file, which can't be converted")
      }
      return false
    }
    let file = source.appending(path: "config.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return false }
    return try DrafterConfiguration.isMeant(by: ConfigurationFile(url: file))
  }

  /// A model that becomes a folder.
  static func folder(_ source: URL, _ formats: WeightFormats) throws -> Conversion {
    let origin = try ModelOrigin(source)
    let converter = try ModelConverter(origin, formats: formats)
    let files = try origin.file.map(GGUFTokenizerFiles.files) ?? [:]
    return Conversion(
      formats: formats.description, tensorCount: converter.tensorCount,
      sourceBytes: origin.byteCount, convertedBytes: converter.convertedBytes,
      notes: converter.notes
    ) { place, replaces, onPiece in
      try converter.write(to: place, replaces: replaces, files: files, onPiece: onPiece)
    }
  }

  /// A model that becomes a GGUF file.
  static func file(_ source: URL, _ types: GGUFTypes) throws -> Conversion {
    let origin = try ModelOrigin(source)
    let configuration = origin.configuration
    let tokenizer = try tokenizerMetadata(
      of: source, vocabularySize: configuration.vocabularySize, begin: configuration.beginToken,
      ends: configuration.endTokens)
    let converter = try GGUFModelConverter(
      origin, types: types, name: name(of: source), tokenizer: tokenizer.keys)
    return Conversion(
      types.description, converter.plan, sourceBytes: origin.byteCount, sources: origin.files,
      notes: tokenizer.notes)
  }

  /// A drafter that becomes a GGUF file.
  ///
  /// - Parameter target: Whose tokenizer goes into the file, and the head of a draft vocabulary.
  static func drafter(_ source: URL, type: GGUFTensorType, target: URL?) throws -> Conversion {
    let drafts = try BlockDrafter(directory: source).draftVocabulary
    guard let target else {
      let converter = try GGUFDrafterConverter(
        directory: source, type: type, name: name(of: source), tokenizer: [])
      return Conversion(
        converter.types.description, converter.plan, sourceBytes: converter.sourceBytes,
        sources: [source],
        notes: drafts == nil
          ? []
          : ["llama.cpp wants a head in a file with a draft vocabulary: --target gives it one"])
    }
    try DrafterModel.checkFit(source, target: target)
    let model = try ModelConfiguration(directory: target)
    let tokenizer = try tokenizerMetadata(
      of: target, vocabularySize: DrafterConfiguration(directory: source).vocabularySize,
      begin: model.beginToken, ends: model.endTokens)
    let converter = try GGUFDrafterConverter(
      directory: source, type: type, name: name(of: source), tokenizer: tokenizer.keys,
      head: drafts.map { try TargetRows(model, at: target).head(of: $0) })
    return Conversion(
      converter.types.description, converter.plan, sourceBytes: converter.sourceBytes,
      sources: [source], notes: tokenizer.notes)
  }

  /// A drafter that becomes a folder of another project.
  static func drafter(
    _ source: URL, as layout: PublishedDrafterLayout, type: ElementType, target: URL?
  ) throws -> Conversion {
    let converter = try PublishedDrafterConverter(source, as: layout, type: type, target: target)
    return Conversion(
      formats: "\(type)", tensorCount: converter.tensorCount,
      sourceBytes: converter.sourceBytes, convertedBytes: converter.convertedBytes, notes: []
    ) { place, replaces, onPiece in
      try converter.write(to: place, replaces: replaces, onPiece: onPiece)
    }
  }

  private init(
    _ formats: String, _ plan: GGUFPlan, sourceBytes: Int, sources: [URL], notes: [String]
  ) {
    self.init(
      formats: formats, tensorCount: plan.tensorCount, sourceBytes: sourceBytes,
      convertedBytes: plan.byteCount, notes: notes + plan.notes
    ) { place, replaces, onPiece in
      try plan.write(
        to: GGUFDestination(place, replaces: replaces, apartFrom: sources), onPiece: onPiece)
    }
  }

  private init(
    formats: String, tensorCount: Int, sourceBytes: Int, convertedBytes: Int, notes: [String],
    body: @escaping (URL, Bool, @escaping (Int) throws -> Void) throws -> Void
  ) {
    self.formats = formats
    self.tensorCount = tensorCount
    self.sourceBytes = sourceBytes
    self.convertedBytes = convertedBytes
    self.notes = notes
    self.body = body
  }

  /// What a file calls its model.
  private static func name(of source: URL) -> String {
    let url = source.standardizedFileURL
    return GGUFFile.isMeant(by: url)
      ? url.deletingPathExtension().lastPathComponent : url.lastPathComponent
  }

  /// The metadata of a model's tokenizer and chat template: a GGUF file's own, or a folder's.
  private static func tokenizerMetadata(
    of source: URL, vocabularySize: Int, begin: Token?, ends: [Token]
  ) throws -> (keys: [(key: String, value: GGUFValue)], notes: [String]) {
    if GGUFFile.isMeant(by: source) {
      let metadata = try GGUFFile(url: source).metadata
      let keys = metadata.filter { $0.key.hasPrefix("tokenizer.") }
      return (keys.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, [])
    }
    let writer = GGUFTokenizerWriter(
      directory: source, vocabularySize: vocabularySize, begin: begin, ends: ends)
    let isThere = !TokenizerLoader.files(in: source).isEmpty
    return (
      try writer.metadata(),
      isThere ? [] : ["\(source.path) has no tokenizer, so that the file will have none"]
    )
  }
}
