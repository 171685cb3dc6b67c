import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Drafters as GGUF files of the architecture `dflash`.
@Suite struct GGUFDrafterTests {
  private func convert(
    _ source: URL, to file: URL, _ type: GGUFTensorType = .f32,
    more: [(key: String, value: GGUFValue)] = []
  ) throws {
    let plan = try GGUFDrafterConverter(
      directory: source, type: type, name: "test", tokenizer: []
    ).plan
    try plan.write(to: GGUFDestination(file, replaces: false, apartFrom: [source])) { _ in }
  }

  /// A file with other metadata, for readers.
  private func altered(
    _ file: URL, _ changes: [(key: String, value: GGUFValue?)]
  ) throws -> GGUFFile {
    let read = try GGUFFile(url: file)
    var metadata = read.metadata
    for (key, value) in changes { metadata[key] = value }
    var values: [String: [UInt8]] = [:]
    for name in read.names { values[name] = try read.withBytes(of: name) { Array($0) } }
    return GGUFFile(
      planned: file, metadata: metadata, tensors: read.names.compactMap(read.tensor),
      values: values)
  }

  @Test(arguments: ReferenceDrafter.names) func theSameDrafter(name: String) throws {
    let folder = try TemporaryFolder()
    let source = ReferenceDrafter(name: name).directory
    let file = folder.file("drafter.gguf")
    try convert(source, to: file)
    let (mine, theirs) = (
      try BlockDrafter(directory: source, format: .f32),
      try BlockDrafter(directory: file, format: .f32)
    )
    #expect(mine.configuration == theirs.configuration)
    #expect(mine.draftVocabulary == theirs.draftVocabulary)
  }

  @Test func layersCountFromOneAndTokensAreWhole() throws {
    let folder = try TemporaryFolder()
    let source = ReferenceDrafter(name: "markov-draft-vocabulary").directory
    let file = folder.file("drafter.gguf")
    try convert(source, to: file)
    let read = try GGUFFile(url: file)
    let drafter = try BlockDrafter(directory: source)
    #expect(
      read.metadata["dflash.target_layers"]?.array?.integers
        == drafter.configuration.targetLayers.map { $0 + 1 })
    #expect(read.metadata["dflash.sample_from_anchor"]?.flag == false)
    let tokens = try read.withBytes(of: "d2t") { bytes in
      (0..<bytes.count / 8).map {
        Token(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))
      }
    }
    #expect(tokens == drafter.draftVocabulary)
    for name in ["enc.output_norm.weight", "markov_w1.weight", "markov_w2.weight", "fc.weight"] {
      #expect(read.tensor(name) != nil, "\(name)")
    }
  }

  /// Every setting that changes the computation is computed or refused by its name.
  @Test func whatIsNotSupportedIsNamed() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("drafter.gguf")
    try convert(ReferenceDrafter(name: "confidence-markov").directory, to: file)
    func problem(_ changes: (key: String, value: GGUFValue?)...) throws -> String {
      let altered = try altered(file, changes)
      return try #require(
        #expect(throws: SpeculateError.self) { _ = try BlockDrafter(altered) }
      ).description
    }
    for (key, value) in [
      ("embedding_scale", GGUFValue.float32(2)), ("logit_scale", .float32(2)),
      ("final_logit_softcapping", .float32(30)), ("attention.value_scale", .float32(2)),
      ("attention.scale", .float32(1)), ("attention.sliding_window", .uint32(64)),
      ("conv_kernel_size", .uint32(2)), ("selector_rank", .uint32(8)),
      ("hidden_activation", .string("gelu")), ("rope.scaling.type", .string("yarn")),
      ("rope.dimension_count", .uint32(2)), ("something.else", .uint32(1)),
      ("block_size", .uint32(1)), ("block_count", .uint32(0)), ("target_layers", .uint32(1)),
      ("target_layers", .array(GGUFArray([.uint32(0)], of: .uint32))),
      ("attention.head_count", .uint32(0)), ("vocab_size", .uint32(0)),
    ] {
      let text = try problem(("dflash.\(key)", value))
      let name = key.hasPrefix("rope.dim") ? "what is rotated" : key
      #expect(text.contains(name) && !text.contains("\n"), "\(key): \(text)")
    }
    #expect(try problem(("tokenizer.ggml.mask_token_id", nil)).contains("mask_token_id"))
    #expect(
      try problem(("general.architecture", .string("llama")))
        .contains("is no block drafter's"))
    // Heads of others have no weight of the draft's own probability.
    let read = try altered(file, [])
    let tensors = read.names.filter { $0 != "conf_own.weight" }.compactMap(read.tensor)
    var values: [String: [UInt8]] = [:]
    for tensor in tensors {
      values[tensor.name] = try read.withBytes(of: tensor.name) { Array($0) }
    }
    _ = try BlockDrafter(
      GGUFFile(planned: file, metadata: read.metadata, tensors: tensors, values: values))
  }

  /// Causal blocks, and drafting from the anchor's row, which a Markov chain does where nothing is said.
  @Test func otherDialects() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("drafter.gguf")
    try convert(ReferenceDrafter(name: "confidence-markov").directory, to: file)
    func read(_ changes: (key: String, value: GGUFValue?)...) throws -> DrafterConfiguration {
      try DrafterConfiguration(try altered(file, changes))
    }
    #expect(try !read().isCausal && !read().samplesAnchor)
    #expect(try read(("dflash.attention.causal", .bool(true))).isCausal)
    #expect(try read(("dflash.sample_from_anchor", nil)).samplesAnchor)
    #expect(try read(("dflash.sample_from_anchor", .bool(true))).samplesAnchor)
  }

  @Test func drafterThatSeesTokensHasNoArchitecture() throws {
    let source = TestFiles.package.appending(path: "Tests/Fixtures/token-drafter")
    let names = try FileManager.default.contentsOfDirectory(atPath: source.path).sorted()
    let folder = try #require(
      names.map { source.appending(path: $0) }.first {
        FileManager.default.fileExists(atPath: $0.appending(path: "config.json").path)
      })
    let error = try #require(
      #expect(throws: SpeculateError.self) {
        _ = try GGUFDrafterConverter(directory: folder, type: .f32, name: "x", tokenizer: [])
      })
    #expect(error.description.contains("no architecture for drafters that see tokens alone"))
  }
}
