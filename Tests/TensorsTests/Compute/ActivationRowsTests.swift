import Tensors
import Testing

/// Products of rows that their maker prepared, against products of the same rows in f32, to the bit.
struct ActivationRowsTests {
  private static let rows = 37
  private static let count = 9

  private func product(_ multiply: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    let out = FloatBuffer(count: Self.count * Self.rows)
    multiply(out.base)
    return (0..<out.count).map { out.base[$0] }
  }

  /// Pieces of 16 columns cut the groups of quantised values, which then are nobody's to prepare.
  @Test(arguments: [16, 32, 33, 96, 200], [16, 32, 64, nil] as [Int?])
  func preparedRowsGiveWhatTheirValuesGive(columns: Int, piece: Int?) {
    var noise = Noise(UInt64(columns))
    let weights = noise.array(Self.rows * columns)
    let x = noise.array(Self.count * columns)
    for formats in [Set(WeightFormat.allCases), [.bf16], [.int8], [.int4], [.int4, .int8], []] {
      let input = ActivationRows(
        maximumRows: Self.count, width: columns, formats: formats, piece: piece)
      // What was there before must not stay: rows are written twice.
      for scale in [7 as Float, 1] {
        for row in 0..<Self.count {
          for column in 0..<columns { input.row(row)[column] = scale * x[row * columns + column] }
          for start in stride(from: 0, to: columns, by: piece ?? columns) {
            input.finish(row: row, columns: start..<min(start + (piece ?? columns), columns))
          }
        }
      }
      for format in WeightFormat.allCases {
        let matrix = PackedMatrix(weights, rows: Self.rows, columns: columns, format: format)
        let panels = 0..<matrix.panelCount
        let expected = product {
          matrix.multiply(
            x, stride: columns, into: $0, stride: Self.rows, count: Self.count, panels: panels)
        }
        let result = product {
          matrix.multiply(input, into: $0, stride: Self.rows, count: Self.count, panels: panels)
        }
        #expect(bits(result) == bits(expected), "\(format) of rows for \(formats)")
        #expect(expected.contains { $0 != 0 })
      }
    }
  }

  /// Rows prepared for a format are read in place of the values, unless their pieces cut groups.
  @Test(arguments: [WeightFormat.int8, .int4])
  func preparedRowsAreRead(format: WeightFormat) {
    let columns = 96
    var noise = Noise(3)
    let matrix = PackedMatrix(
      noise.array(Self.rows * columns), rows: Self.rows, columns: columns, format: format)
    for (formats, piece, prepared) in [
      ([format], 32, true), ([format], 96, true), ([format], 16, false), ([.bf16], 32, false),
    ] as [(Set<WeightFormat>, Int, Bool)] {
      let input = ActivationRows(
        maximumRows: Self.count, width: columns, formats: formats, piece: piece)
      for row in 0..<Self.count {
        for column in 0..<columns { input.row(row)[column] = noise.next() }
        for start in stride(from: 0, to: columns, by: piece) {
          input.finish(row: row, columns: start..<start + piece)
        }
        for column in 0..<columns { input.row(row)[column] = .nan }
      }
      let result = product {
        matrix.multiply(
          input, into: $0, stride: Self.rows, count: Self.count, panels: 0..<matrix.panelCount)
      }
      #expect(result.allSatisfy(\.isFinite) == prepared, "\(formats) in pieces of \(piece)")
    }
  }
}
