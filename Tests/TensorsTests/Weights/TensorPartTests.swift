import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Tensors that checkpoints hold as parts of others: every kind of file gives the same rows.
@Suite struct TensorPartTests {
  private static let shape = LayerShape(
    hidden: 64, heads: 4, keyValueHeads: 2, headDimension: 8, intermediate: 40, normEpsilon: 1e-6)
  private static let rows = 64  // 32 of queries, 16 of keys, 16 of values

  private static func layout(_ order: FusedProjection.Order, isTransposed: Bool) -> LayerLayout {
    var design = LayerDesign(
      shape: shape, attention: AttentionOptions(rope: Rope(dimension: 8, theta: 10_000)))
    design.attention.inputBias = true
    var names = LayerNames()
    names.queryKeyValue = FusedProjection("qkv", order)
    names.isTransposed = isTransposed
    return LayerLayout(design, names: names, prefix: "")
  }

  /// Which rows of the fused tensor are whose.
  private static func expected(_ order: FusedProjection.Order) -> [(LayerTensor, [Int])] {
    switch order {
    case .parts: [(.query, Array(0..<32)), (.key, Array(32..<48)), (.value, Array(48..<64))]
    case .heads:
      [
        (.query, Array(0..<16) + Array(32..<48)), (.key, Array(16..<24) + Array(48..<56)),
        (.value, Array(24..<32) + Array(56..<64)),
      ]
    }
  }

  private static let values = RandomSource(seed: 4).values("qkv", [rows, shape.hidden])

  private static func row(_ row: Int) -> [Float] {
    (0..<shape.hidden).map { values.base[row * shape.hidden + $0] }
  }

  private func rows(of buffer: FloatBuffer, width: Int) -> [[Float]] {
    (0..<buffer.count / width).map { row in (0..<width).map { buffer.base[row * width + $0] } }
  }

  private func rows(of matrix: PackedMatrix) -> [[Float]] {
    (0..<matrix.rows).map { row in
      var values = [Float](repeating: .nan, count: matrix.columns)
      matrix.copyRow(row, to: &values)
      return values
    }
  }

  private func tensor(_ layout: LayerLayout, _ role: LayerTensor) throws -> NamedShape {
    try #require(layout[role])
  }

  @Test(
    arguments: [FusedProjection.Order.parts, .heads], [false, true])
  func floatsOfAFolder(order: FusedProjection.Order, isTransposed: Bool) throws {
    let (count, hidden) = (Self.rows, Self.shape.hidden)
    let stored = FloatBuffer(count: count * hidden)
    for row in 0..<count {
      for column in 0..<hidden {
        stored.base[isTransposed ? column * count + row : row * hidden + column] =
          Self.values.base[row * hidden + column]
      }
    }
    let bias = RandomSource(seed: 1).values("bias", [count])
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [
        .init(
          name: "qkv.weight", shape: isTransposed ? [hidden, count] : [count, hidden], type: .f32,
          values: stored.base),
        .init(name: "qkv.bias", shape: [count], type: .f32, values: bias.base),
      ], metadata: [:], to: folder.file("model.safetensors"))
    let source = CheckpointSource(try Checkpoint(directory: folder.url), path: "folder")
    let layout = Self.layout(order, isTransposed: isTransposed)
    for (role, wanted) in Self.expected(order) {
      let tensor = try tensor(layout, role)
      #expect(rows(of: try source.values(tensor), width: hidden) == wanted.map(Self.row))
      #expect(
        rows(of: try source.matrix(tensor, format: .bf16))
          == rows(of: try source.matrix(tensor, format: .f32)).map {
            $0.map {
              Float(bitPattern: (($0.bitPattern + 0x7fff + ($0.bitPattern >> 16 & 1)) >> 16) << 16)
            }
          })
    }
    let biases: [LayerTensor] = [.queryBias, .keyBias, .valueBias]
    for (role, (_, wanted)) in zip(biases, Self.expected(order)) {
      let values = try source.values(try tensor(layout, role))
      #expect(rows(of: values, width: 1).flatMap { $0 } == wanted.map { bias.base[$0] })
    }
    try source.finish { _ in false }
    withExtendedLifetime((stored, bias)) {}
  }

  /// Integers of a converted folder are [out, in], whatever the floats were.
  @Test(
    arguments: [FusedProjection.Order.parts, .heads],
    [WeightFormat.int8, .int4] + WeightFormat.blocks.prefix(1))
  func integersOfAFolder(order: FusedProjection.Order, format: WeightFormat) throws {
    let (count, hidden) = (Self.rows, Self.shape.hidden)
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      format.storedParts(rows: count, columns: hidden).enumerated().map { index, part in
        .init(name: "qkv.weight" + part.suffix, shape: part.shape, type: part.type) { sink in
          try format.store(
            Self.values.base, rows: count, columns: hidden, part: index, to: sink)
        }
      }, to: folder.file("model.safetensors"))
    let whole = rows(
      of: PackedMatrix(Self.values.base, rows: count, columns: hidden, format: format))
    for isTransposed in [false, true] {
      let source = CheckpointSource(try Checkpoint(directory: folder.url), path: "folder")
      let layout = Self.layout(order, isTransposed: isTransposed)
      for (role, wanted) in Self.expected(order) {
        let tensor = try tensor(layout, role)
        #expect(rows(of: try source.matrix(tensor, format: format)) == wanted.map { whole[$0] })
        guard WeightFormat.allCases.contains(format) else { continue }
        #expect(
          rows(of: try source.values(tensor), width: hidden) == wanted.map { whole[$0] })
      }
      try source.finish { _ in false }
    }
  }

  @Test(
    arguments: [FusedProjection.Order.parts, .heads], [ElementType?.none, .f32, .f16])
  func rowsOfGGUF(order: FusedProjection.Order, type: ElementType?) throws {
    let (count, hidden) = (Self.rows, Self.shape.hidden)
    let format = type == nil ? WeightFormat.int8 : .f32
    let folder = try TemporaryFolder()
    var bytes = [UInt8](repeating: 0, count: count * hidden / 32 * 34)
    if let type {
      bytes = [UInt8](repeating: 0, count: count * hidden * type.byteCount)
      bytes.withUnsafeMutableBytes {
        guard let base = $0.baseAddress else { return }
        FloatConversion.narrow(Self.values.base, to: type, into: base, count: count * hidden)
      }
    } else {
      var noise = Noise(3)
      for block in 0..<count * hidden / 32 {
        (bytes[block * 34], bytes[block * 34 + 1]) = (UInt8(block % 251), 0x20)
        for place in 2..<34 { bytes[block * 34 + place] = UInt8(abs(noise.array(1)[0]) * 100) }
      }
    }
    let stored = bytes
    let kind: GGUFTensorType = type == nil ? .q80 : type == .f16 ? .f16 : .f32
    try GGUFWriter.write(
      metadata: [],
      [.init(name: "q", type: kind, shape: [count, hidden]) { try stored.withUnsafeBytes($0) }],
      to: folder.file("m.gguf"))
    let file = try GGUFFile(url: folder.file("m.gguf"))
    let layout = Self.layout(order, isTransposed: false)
    let whole = rows(
      of: try GGUFSource(file, places: ["q": .init("q")]).matrix(
        "q", rows: count, columns: hidden, format: format))
    var places: [String: TensorPart] = [:]
    for (role, _) in Self.expected(order) {
      let tensor = try tensor(layout, role)
      places[tensor.name] = TensorPart("q", rows: tensor.part?.rows, order: tensor.order)
    }
    for kept in [[], Set(places.keys)] {
      let source = GGUFSource(file, places: places, kept: kept)
      for (role, wanted) in Self.expected(order) {
        let tensor = try tensor(layout, role)
        #expect(rows(of: try source.matrix(tensor, format: format)) == wanted.map { whole[$0] })
        #expect(
          rows(of: try source.values(tensor), width: hidden) == wanted.map { whole[$0] })
      }
      try source.finish { _ in false }
    }
  }

  /// A stored tensor of another size is named, not the part.
  @Test func aStoredTensorOfAnotherShape() throws {
    let folder = try TemporaryFolder()
    let values = FloatBuffer(count: 63 * 64)
    try SafetensorsWriter.write(
      [.init(name: "qkv.weight", shape: [63, 64], type: .f32, values: values.base)],
      metadata: [:], to: folder.file("model.safetensors"))
    let source = CheckpointSource(try Checkpoint(directory: folder.url), path: "folder")
    let layout = Self.layout(.parts, isTransposed: false)
    let error = #expect(throws: SpeculateError.self) {
      _ = try source.values(try tensor(layout, .key))
    }
    #expect(
      error?.description.contains(
        "tensor \"qkv.weight\" has shape [63, 64], but [64, 64] is needed")
        == true)
  }
}
