import Drafter
package import Files
import Foundation
import Tensors
import Verifier

/// The layouts of other projects that a block drafter's folder can be written in.
package enum PublishedDrafterLayout: String, CaseIterable, Sendable {
  /// z-lab's DFlash: its settings in `dflash_config`, the target's embedding and head borrowed.
  case zlab
  /// vLLM's speculators: with copies of the target's embedding and head.
  case speculators

  /// The project's name.
  var project: String { self == .zlab ? "z-lab" : rawValue }
}

/// Writes a block drafter's folder as another project reads it.
///
/// What its layout can't say about the drafter is refused by name, so that both make the same drafts.
package struct PublishedDrafterConverter {
  package let layout: PublishedDrafterLayout
  /// Bytes of the weights as the source stores them.
  package let sourceBytes: Int

  private let source: URL
  private let drafter: DrafterConfiguration
  private let configuration: Data
  private let conversions: [TensorConversion]
  private let copies: [Copy]
  private let type: ElementType
  /// Nil for the whole vocabulary.
  private let vocabulary: Vocabulary?

  /// Rows of a matrix of the target.
  private struct Copy {
    let name: String
    let shape: [Int]
    let values: FloatBuffer
  }

  /// Plans a folder.
  ///
  /// - Parameters:
  ///   - source: The drafter's folder.
  ///   - layout: How it is written.
  ///   - type: Of the matrices.
  ///   - target: The target, whose embedding and head go into the folder of `speculators`.
  /// - Throws: `SpeculateError` naming what the layout can't say.
  package init(
    _ source: URL, as layout: PublishedDrafterLayout, type: ElementType, target: URL?
  ) throws {
    self.source = source
    self.layout = layout
    self.type = type
    let checkpoint = try Checkpoint(directory: source)
    drafter = try DrafterConfiguration(directory: source)
    try Self.check(drafter, checkpoint, layout, path: source.path)
    let own = try BlockDrafter(directory: source).draftVocabulary
    let left: Set = [
      drafter.layout.draftVocabulary?.name, BlockDrafter.reverseVocabulary, Self.ownConfidence,
    ]
    let names = checkpoint.names.filter { !left.contains($0) }
    sourceBytes = names.reduce(0) { $0 + (checkpoint.byteCount(of: $1) ?? 0) }
    conversions = try names.map { name in
      let origin = try TensorOrigin(name, in: checkpoint)
      return origin.shape.count == 2
        ? try TensorConversion(origin, as: name, to: type == .f32 ? .f32 : .bf16, path: source.path)
        : try TensorConversion(keeping: origin)
    }
    switch layout {
    case .zlab:
      copies = []
      configuration = drafter.encoded()
      vocabulary = nil
    case .speculators:
      guard let target else {
        throw SpeculateError(
          "the layout of speculators has copies of the target's embedding and head: give ‘target’")
      }
      let model = try ModelConfiguration(directory: target)
      try DrafterModel.checkFit(source, target: target)
      copies = try Self.copies(of: model, at: target, own)
      configuration = drafter.encodedForSpeculators(
        target: model.family.architecture, named: target.lastPathComponent)
      vocabulary = own.map { [size = drafter.vocabularySize] in Vocabulary(tokens: $0, size: size) }
    }
  }

  /// The draft vocabulary both ways: offsets from a draft to its token, and which tokens are drafts.
  private struct Vocabulary {
    let offsets: [Int]
    let isDrafted: [UInt8]

    init(tokens: [Token], size: Int) {
      offsets = tokens.enumerated().map { Int($1) - $0 }
      var drafted = [UInt8](repeating: 0, count: size)
      for token in tokens { drafted[Int(token)] = 1 }
      isDrafted = drafted
    }
  }

  package var tensorCount: Int {
    conversions.count + copies.count + (vocabulary == nil ? 0 : 2)
  }

  package var convertedBytes: Int {
    conversions.reduce(0) { $0 + $1.convertedBytes }
      + copies.reduce(0) { $0 + $1.shape.reduce(1, *) * type.byteCount }
  }

  /// Writes the folder.
  ///
  /// - Parameters: as ``ModelConverter/write(to:replaces:files:onPiece:)``.
  /// - Throws: `SpeculateError` if the folder exists or can't be written, or a tensor is damaged.
  package func write(
    to destination: URL, replaces: Bool, onPiece: @escaping (_ done: Int) throws -> Void
  ) throws {
    let folder = try ReplacedFolder(
      destination, replaces: replaces, names: ["config.json", "model.safetensors"], source: source)
    defer { folder.abandon() }
    var done = 0
    var entries = conversions.flatMap { entry in
      entry.outputs { finished in
        if finished { done += 1 }
        try onPiece(done)
      }
    }
    entries += copies.map {
      SafetensorsWriter.Entry(
        name: $0.name, shape: $0.shape, type: type, values: $0.values.base)
    }
    if let vocabulary {
      entries.append(SafetensorsWriter.Entry(name: "d2t", integers: vocabulary.offsets))
      entries.append(
        SafetensorsWriter.Entry(
          name: BlockDrafter.reverseVocabulary, shape: [vocabulary.isDrafted.count], type: .bool
        ) { sink in try vocabulary.isDrafted.withUnsafeBytes { try sink($0) } })
    }
    try SafetensorsWriter.write(
      entries, metadata: ["format": "pt"],
      to: folder.temporary.appending(path: "model.safetensors"))
    withExtendedLifetime(copies) {}
    try AtomicFile.write(configuration, to: folder.temporary.appending(path: "config.json"))
    try checkMeaning(of: folder.temporary)
    try folder.commit()
  }

  /// Reads the configuration back: what the layout can't say would be lost.
  private func checkMeaning(of folder: URL) throws {
    let read = try DrafterConfiguration(directory: folder)
    var own = drafter
    own.targetLayerCount = read.targetLayerCount
    guard read == own else {
      throw SpeculateError(
        "\(source.path): the layout of \(layout.project) can't say all of this drafter's settings; "
          + "keep the folder, or write a GGUF file")
    }
  }

  /// A confidence head's factor of a draft's own probability, which only our drafters have.
  private static let ownConfidence = "confidence_head.own.weight"

  /// Refuses what a layout has no word for.
  private static func check(
    _ drafter: DrafterConfiguration, _ checkpoint: Checkpoint, _ layout: PublishedDrafterLayout,
    path: String
  ) throws {
    func refuse(_ what: String) -> SpeculateError {
      SpeculateError(
        "\(path): the layout of \(layout.project) has no \(what); keep the folder, or write a GGUF file"
      )
    }
    guard drafter.kind == .conditioned else { throw refuse("drafters that see tokens alone") }
    for name in ["embed_tokens.weight", "lm_head.weight"] where checkpoint.shape(of: name) != nil {
      throw SpeculateError("\(path): holds \(name) already; it is another project's folder")
    }
    switch layout {
    case .zlab:
      // DFlash 2 has a selector.
      let strange = drafter.heads.list.first { !($0 is CandidateSelectorConfiguration) }
      if let strange { throw refuse(Swift.type(of: strange).name) }
      if drafter.draftVocabularySize != nil { throw refuse("draft vocabulary") }
    case .speculators:
      if checkpoint.shape(of: ownConfidence) != nil,
        try checkpoint.floats(ownConfidence, shape: [1]).base[0] != 0
      {
        throw refuse("\(ownConfidence), by which a draft's own probability counts")
      }
    }
  }

  /// The target's embedding, and the rows of its head that can be drafted.
  private static func copies(
    of model: ModelConfiguration, at target: URL, _ drafts: [Token]?
  ) throws -> [Copy] {
    let rows = drafts ?? (0..<model.vocabularySize).map(Token.init)
    let own = try TargetRows(model, at: target)
    let width = model.hiddenSize
    return [
      Copy(
        name: "embed_tokens.weight", shape: [model.vocabularySize, width], values: own.embedding),
      Copy(name: "lm_head.weight", shape: [rows.count, width], values: own.head(of: rows)),
    ]
  }
}
