import CKernels
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Matrices and embeddings taken from GGUF files as they are stored.
@Suite struct GGUFSourceTests {
  private static let columns = 512
  private static let rows = 40

  private static let stored: [(type: GGUFTensorType, blocks: ck_block_type, format: String)] = [
    (.q40, CK_Q4_0, "int4"), (.q41, CK_Q4_1, "q4_1"), (.q50, CK_Q5_0, "q5_0"),
    (.q51, CK_Q5_1, "q5_1"), (.q80, CK_Q8_0, "int8"), (.q2K, CK_Q2_K, "q2_k"),
    (.q3K, CK_Q3_K, "q3_k"), (.q4K, CK_Q4_K, "q4_k"), (.q5K, CK_Q5_K, "q5_k"),
    (.q6K, CK_Q6_K, "q6_k"), (.mxfp4, CK_MXFP4, "mxfp4"),
  ]

  /// A file with a matrix of each type, and what they hold.
  private func makeFile(
    in folder: TemporaryFolder
  ) throws -> (file: GGUFFile, values: [String: [Float]]) {
    var values: [String: [Float]] = [:]
    var entries: [GGUFWriter.Entry] = []
    for (type, blocks, format) in Self.stored {
      let bytes = BlockFixtures.random(blocks, rows: Self.rows, columns: Self.columns, seed: 3)
      var floats = [Float](repeating: 0, count: Self.rows * Self.columns)
      ck_widen_blocks(blocks, bytes, floats.count, &floats)
      values[format] = floats
      entries.append(
        .init(name: format, type: type, shape: [Self.rows, Self.columns]) {
          try bytes.withUnsafeBytes($0)
        })
    }
    var noise = Noise(8)
    let floats = noise.array(Self.rows * Self.columns).map { Float(Float16($0)) }
    for (type, element) in [(GGUFTensorType.f16, ElementType.f16), (.f32, .f32), (.bf16, .bf16)] {
      var bytes = [UInt8](repeating: 0, count: floats.count * element.byteCount)
      var widened = floats
      bytes.withUnsafeMutableBytes {
        guard let base = $0.baseAddress else { return }
        FloatConversion.narrow(floats, to: element, into: base, count: floats.count)
        FloatConversion.widen(base, as: element, into: &widened, count: floats.count)
      }
      values[type.name] = widened
      let stored = bytes
      entries.append(
        .init(name: type.name, type: type, shape: [Self.rows, Self.columns]) {
          try stored.withUnsafeBytes($0)
        })
    }
    entries.append(
      .init(name: "odd", type: try #require(GGUFTensorType(id: 20)), shape: [1, 32]) {
        try [UInt8](repeating: 0, count: 18).withUnsafeBytes($0)
      })
    let url = folder.file("matrices.gguf")
    try GGUFWriter.write(metadata: [], entries, to: url)
    return (try GGUFFile(url: url), values)
  }

  private func source(
    _ file: GGUFFile, order: RowOrder = .plain, kept: Set<String> = []
  ) -> GGUFSource {
    let places = file.names.map { ($0, GGUFSource.Place($0, order: order)) }
    return GGUFSource(file, places: Dictionary(uniqueKeysWithValues: places), kept: kept)
  }

  private func floats(_ buffer: FloatBuffer) -> [Float] {
    (0..<buffer.count).map { buffer.base[$0] }
  }

  private func rows(of matrix: PackedMatrix) -> [Float] {
    (0..<matrix.rows).flatMap { row in
      var values = [Float](repeating: .nan, count: matrix.columns)
      matrix.copyRow(row, to: &values)
      return values
    }
  }

  private func format(_ name: String) throws -> WeightFormat {
    try #require(
      (WeightFormat.allCases + WeightFormat.blocks).first { $0.rawValue == name })
  }

  @Test(arguments: [RowOrder.plain, .paired(headDimension: 8)])
  func matricesAndEmbeddingsAsStored(order: RowOrder) throws {
    let folder = try TemporaryFolder()
    let (file, values) = try makeFile(in: folder)
    let source = source(file, order: order)
    for (type, _, name) in Self.stored {
      let format = try format(name)
      let tensor = try #require(file.tensor(name))
      #expect(try GGUFSource.format(of: tensor, in: file) == format, "\(type)")
      let stored = try #require(values[name])
      let expected = (0..<Self.rows).flatMap { row in
        let start = order.place(of: row) * Self.columns
        return Array(stored[start..<start + Self.columns])
      }
      let matrix = try source.matrix(
        name, rows: Self.rows, columns: Self.columns, format: format)
      #expect(matrix.format == format)
      #expect(bits(rows(of: matrix)) == bits(expected), "\(type)")
      let embedding = try source.embedding(
        name, vocabularySize: Self.rows, width: Self.columns, format: format)
      var row = [Float](repeating: .nan, count: Self.columns)
      for token in 0..<Self.rows {
        embedding.copy(Token(token), to: &row)
        #expect(
          bits(row) == bits(Array(expected[token * Self.columns..<(token + 1) * Self.columns])))
      }
      let all = floats(try source.values(name, [Self.rows, Self.columns]))
      #expect(bits(all) == bits(expected))
    }
  }

  @Test func floatsAreTakenInTheirOrder() throws {
    let folder = try TemporaryFolder()
    let (file, values) = try makeFile(in: folder)
    let source = source(file, order: .paired(headDimension: 20))
    for name in ["F16", "F32", "BF16"] {
      let stored = try #require(values[name])
      let expected = (0..<Self.rows).flatMap { row in
        let start = (row / 20 * 20 + 2 * (row % 10) + row % 20 / 10) * Self.columns
        return Array(stored[start..<start + Self.columns])
      }
      let all = floats(try source.values(name, [Self.rows, Self.columns]))
      #expect(bits(all) == bits(expected))
    }
  }

  /// A matrix that is to stay as it is stored has a format of its own, whatever is asked for.
  @Test func formatsOfTheFileAreKept() throws {
    let folder = try TemporaryFolder()
    let (file, values) = try makeFile(in: folder)
    let source = source(file, kept: ["q6_k", "F16", "BF16"])
    func matrix(_ name: String, _ format: WeightFormat) throws -> PackedMatrix {
      try source.matrix(name, rows: Self.rows, columns: Self.columns, format: format)
    }
    let (own, asked) = (try format("q6_k"), try format("q4_k"))
    let kept = try matrix("q6_k", asked)
    #expect(kept.format == own)
    let sixes = try #require(values["q6_k"]), halves = try #require(values["F16"])
    let fives = try #require(values["q5_k"])
    #expect(bits(rows(of: kept)) == bits(sixes))
    #expect(try matrix("BF16", .int8).format == .bf16)
    #expect(try matrix("F16", .int8).format == .f32)
    let widened = try matrix("F16", .int8)
    #expect(bits(rows(of: widened)) == bits(halves))
    let other = try matrix("q5_k", .f32)
    #expect(other.format == .f32)
    #expect(bits(rows(of: other)) == bits(fives))
  }

  @Test func mistakesAreNamed() throws {
    let folder = try TemporaryFolder()
    let (file, _) = try makeFile(in: folder)
    let source = source(file)
    func problem(_ body: () throws -> Void) throws -> String {
      let error = try #require(#expect(throws: SpeculateError.self, performing: body))
      return String(error.description.dropFirst("\(file.url.path): ".count))
    }
    #expect(
      try problem { _ = try source.values("q4_k", [40, 256]) }
        == "tensor \"q4_k\" has shape [40, 512], but [40, 256] is needed; the metadata and the "
        + "tensors are not of the same model")
    #expect(
      try problem { _ = try source.values("absent", [1]) }
        == "there is no tensor \"absent\" of shape [1]; the model is incomplete or of another "
        + "architecture")
    #expect(
      try problem { _ = try source.values("odd", [1, 32]) }
        == "tensor \"odd\" is IQ4_NL, which is not supported; take a file with Q4_0, Q4_1, Q5_0, "
        + "Q5_1, Q8_0, Q2_K to Q6_K, MXFP4, F16, BF16 or F32")
    #expect(
      try problem { try source.finish { $0 != "F32" } }
        == "tensor \"F32\" has no place in the model that the metadata describes; this model "
        + "computes something that is not supported")
  }

  /// f32 weights packed, looked up and stored in the formats of blocks.
  @Test(arguments: WeightFormat.blocks) func floatsBecomeBlocks(format: WeightFormat) throws {
    var noise = Noise(2)
    let (rows, columns) = (21, 300)
    let weights = noise.array(rows * columns, scale: 0.05)
    let matrix = PackedMatrix(weights, rows: rows, columns: columns, format: format)
    let embedding = TokenEmbedding(
      weights, vocabularySize: rows, width: columns, format: format)
    let packed = self.rows(of: matrix)
    #expect(zip(weights, packed).allSatisfy { abs($0 - $1) < 0.05 })
    var row = [Float](repeating: .nan, count: columns)
    for token in 0..<rows {
      embedding.copy(Token(token), to: &row)
      #expect(bits(row) == bits(Array(packed[token * columns..<(token + 1) * columns])))
    }
    let folder = try TemporaryFolder()
    let part = format.storedParts(rows: rows, columns: columns)[0]
    try SafetensorsWriter.write(
      [
        .init(name: "w" + part.suffix, shape: part.shape, type: part.type) { sink in
          try format.store(weights, rows: rows, columns: columns, part: 0, to: sink)
        }
      ], to: folder.file("model.safetensors"))
    let source = CheckpointSource(try Checkpoint(directory: folder.url), path: "w")
    let stored = try #require(
      try source.stored(NamedShape("w", [rows, columns]), format: format))
    let again = floats(try stored.floats())
    #expect(bits(again) == bits(packed))
    #expect(throws: SpeculateError.self) {
      _ = try source.stored(NamedShape("w", [rows + 1, columns]), format: format)
    }
  }

  @Test func rowsOfBlocksArePreparedOnce() {
    var noise = Noise(6)
    let (rows, columns, count) = (37, 512, 9)
    let weights = noise.array(rows * columns), x = noise.array(count * columns)
    for piece in [32, 512] {
      let input = ActivationRows(
        maximumRows: count, width: columns, formats: [WeightFormat.blocks[0]], piece: piece)
      for row in 0..<count {
        for column in 0..<columns { input.row(row)[column] = x[row * columns + column] }
        for start in stride(from: 0, to: columns, by: piece) {
          input.finish(row: row, columns: start..<start + piece)
        }
        // Prepared rows are read in place of the values.
        for column in 0..<columns { input.row(row)[column] = .nan }
      }
      for format in WeightFormat.blocks {
        let matrix = PackedMatrix(weights, rows: rows, columns: columns, format: format)
        var expected = [Float](repeating: 0, count: count * rows), result = expected
        matrix.multiply(
          x, stride: columns, into: &expected, stride: rows, count: count,
          panels: 0..<matrix.panelCount)
        matrix.multiply(
          input, into: &result, stride: rows, count: count, panels: 0..<matrix.panelCount)
        #expect(bits(result) == bits(expected), "\(format)")
      }
    }
  }

  /// To the bit what f32 weights of the same values give, whatever the format.
  @Test(arguments: WeightFormat.blocks + [.int8, .int4, .bf16])
  func productsOfFloatActivations(format: WeightFormat) {
    var noise = Noise(12)
    let (rows, columns) = (37, 290)
    let weights = noise.array(rows * columns), x = noise.array(9 * columns)
    let exact = format.withFloatActivations
    #expect(exact != format && exact.description == "\(format) with f32 activations")
    #expect(exact.withFloatActivations == exact && exact.isQuantized == format.isQuantized)
    let matrix = PackedMatrix(weights, rows: rows, columns: columns, format: exact)
    #expect(
      matrix.byteCount
        == PackedMatrix(weights, rows: rows, columns: columns, format: format).byteCount)
    let floats = PackedMatrix(
      self.rows(of: matrix), rows: rows, columns: columns, format: .f32)
    for count in [1, 2, 5, 9] {
      var expected = [Float](repeating: 0, count: count * rows), result = expected
      floats.multiply(
        x, stride: columns, into: &expected, stride: rows, count: count,
        panels: 0..<floats.panelCount)
      matrix.multiply(
        x, stride: columns, into: &result, stride: rows, count: count,
        panels: 0..<matrix.panelCount)
      #expect(bits(result) == bits(expected))
    }
  }

  @Test func floatActivationsAreChosenForProducts() {
    let choice = WeightFormatChoice(floatActivations: true)
    let formats = choice.applied(to: WeightFormats(layers: .int4))
    #expect(formats.layers == WeightFormat.int4.withFloatActivations)
    #expect(formats.head == WeightFormat.int8.withFloatActivations && formats.embedding == .int8)
    #expect(choice.applied(to: WeightFormats(layers: .f32)) == WeightFormats(layers: .f32))
  }
}
