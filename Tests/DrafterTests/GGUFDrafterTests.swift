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

  /// What the architecture has no place for.
  static let unsaid = [
    "gated": "tensor \"markov_head.gate_proj.bias\" has no place in a GGUF file",
    "rnn": "tensor \"markov_head.joint_proj.bias\" has no place in a GGUF file",
    "dflash-window": "can't say this drafter's windows, which its blocks are causal in",
  ]

  @Test(arguments: unsaid.keys.sorted()) func whatCannotBeSaidIsNamed(name: String) throws {
    let error = try #require(
      #expect(throws: SpeculateError.self) {
        _ = try GGUFDrafterConverter(
          directory: ReferenceDrafter(name: name).directory, type: .f32, name: "test",
          tokenizer: [])
      })
    #expect(error.description.contains(Self.unsaid[name] ?? ""), "\(error)")
  }

  @Test(arguments: ReferenceDrafter.names.filter { unsaid[$0] == nil })
  func theSameDrafter(name: String) throws {
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
    #expect(try GGUFDrafterTests.drafts(mine, name) == GGUFDrafterTests.drafts(theirs, name))
  }

  /// The logits' bits of a block behind a few positions.
  private static func drafts(_ drafter: BlockDrafter, _ name: String) throws -> [UInt32] {
    let configuration = drafter.configuration
    let (vocabulary, hidden) = (configuration.vocabularySize, configuration.shape.hidden)
    let inputs = try ReferenceDrafter(name: name).inputs()
    let table = try inputs.floats("embedding", shape: [vocabulary, hidden])
    let runner = SingleDrafter(
      drafter: drafter,
      embedding: TokenEmbedding(table, vocabularySize: vocabulary, width: hidden, format: .f32),
      head: PackedMatrix(table, rows: vocabulary, columns: hidden, format: .f32),
      workers: Workers(count: 2), capacity: 20)
    let width = configuration.targetLayers.count * hidden
    let features = try inputs.floats("features", shape: [14, width])
    runner.appendContext(features.base, rows: 9)
    var bits: [UInt32] = []
    runner.draft(anchor: 5, count: configuration.maximumDrafts) { _, logits in
      bits += (0..<configuration.choices).map { logits[$0].bitPattern }
      return Kernels.argmax(logits, count: configuration.choices)
    }
    return bits
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
      ("embedding_scale", GGUFValue.float32(-2)), ("logit_scale", .float32(-2)),
      ("final_logit_softcapping", .float32(-30)), ("attention.value_scale", .float32(2)),
      ("attention.scale", .float32(1)), ("attention.sliding_window", .uint32(64)),
      ("conv_kernel_size", .uint32(65)), ("selector_rank", .uint32(5000)),
      ("conv_group_size", .uint32(25)), ("selector_top_k", .uint32(1025)),
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
