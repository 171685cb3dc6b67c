package import Files
internal import Foundation
package import Tensors

extension BlockDrafter {
  /// Loads a drafter from a GGUF file.
  ///
  /// - Parameter format: How to hold the matrices; `nil` is as they are stored for blocks, f32 for
  ///   files in f32 and int8 for others.
  /// - Throws: `SpeculateError` when a setting isn't supported, or metadata and tensors disagree.
  package convenience init(_ file: GGUFFile, format: WeightFormat? = nil) throws {
    let configuration = try DrafterConfiguration(file)
    let places = DrafterPlaces.places(of: configuration)
    let matrices = (0..<configuration.layerCount).flatMap {
      configuration.layout(ofLayer: $0).tensors.map(\.tensor.name)
    }
    let stored = try configuration.layout(ofLayer: 0)[.query].flatMap { places[$0.name] }
      .flatMap { file.tensor($0.name) }.map { try GGUFSource.format(of: $0, in: file) }
    let usual = stored.map { $0 == .bf16 ? .int8 : $0 } ?? .int8
    let keeps = format == nil && stored?.isQuantized == true
    let source = GGUFSource(
      file, places: places, kept: keeps ? Set(matrices) : [])
    let vocabulary = try configuration.draftVocabularySize.map {
      try Self.draftVocabulary(file, count: $0, of: configuration.vocabularySize)
    }
    try self.init(
      configuration, format: format ?? usual, draftVocabulary: vocabulary, source: source,
      path: file.url.path)
    try source.finish { $0 == DrafterPlaces.draftVocabulary }
  }

  private static func draftVocabulary(
    _ file: GGUFFile, count: Int, of vocabulary: Int
  ) throws -> [Token] {
    let name = DrafterPlaces.draftVocabulary
    func problem(_ text: String) -> SpeculateError {
      SpeculateError("\(file.url.path): tensor \(quoted(name)) \(text)")
    }
    guard let tensor = file.tensor(name), tensor.type == .i64, tensor.shape == [count] else {
      throw problem("must be I64 of shape [\(count)]; convert the drafter again")
    }
    let values = try file.withBytes(of: name) { bytes in
      (0..<count).map {
        Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))
      }
    }
    var tokens: [Token] = []
    for (index, value) in values.enumerated() {
      guard value >= 0, value < vocabulary, value > Int64(tokens.last ?? -1) else {
        throw problem("entry \(index) is no ascending token below \(vocabulary)")
      }
      tokens.append(Token(value))
    }
    return tokens
  }
}
