import Foundation
package import Tensors

/// How heavy the tails are of what a drafter's products take, product by product: what rounding to few bits has
/// to cope with (Quantization Meets dLLMs, arXiv 2508.14896).
package struct TailProfile: Encodable, Sendable, Equatable {
  /// Products in the order in which a pass comes to them.
  package private(set) var products: [Tails] = []

  package init() {}

  /// Adds the rows of a product of a pass.
  package mutating func add(_ input: ProductInput) {
    let name = input.layer.map { "layers.\($0) \(input.product)" } ?? input.product
    for row in input.rows { add(input.row(row), of: name) }
  }

  /// Adds a row of a product, or of a matrix.
  package mutating func add(_ row: UnsafeBufferPointer<Float>, of name: String) {
    let index = products.firstIndex { $0.name == name } ?? products.count
    if index == products.count { products.append(Tails(name: name)) }
    products[index].add(row)
  }
}

/// The tails of rows: of activations, or of a matrix.
package struct Tails: Encodable, Sendable, Equatable {
  package let name: String
  package private(set) var rows = 0
  /// The greatest size of a value.
  package private(set) var greatest: Float = 0
  /// Rows whose greatest value is more than ``outlier`` times the size of their median one.
  package private(set) var outlierRows = 0
  private var ratios = 0.0
  private var worst = 0.0
  /// How often each column held a row's greatest value.
  private var columns: [Int: Int] = [:]
  private var squares = 0.0
  private var errors8 = 0.0
  private var errors4 = 0.0

  /// From where on a value is an outlier, as a multiple of the median size of its row.
  package static let outlier = 50.0
  /// Values that share a scale where rows are rounded.
  private static let group = 32

  package init(name: String) { self.name = name }

  /// The mean over rows of the greatest value over the median one.
  package var ratio: Double { rows > 0 ? ratios / Double(rows) : 0 }
  /// The greatest of these.
  package var worstRatio: Double { worst }
  /// The share of rows whose greatest value stands in one and the same column.
  package var columnShare: Double {
    rows > 0 ? Double(columns.values.max() ?? 0) / Double(rows) : 0
  }
  /// The error of rounding to 8 bits in groups of 32, as a share of the values' root mean square.
  package var error8: Double { squares > 0 ? (errors8 / squares).squareRoot() : 0 }
  /// The same of 4 bits.
  package var error4: Double { squares > 0 ? (errors4 / squares).squareRoot() : 0 }

  /// Adds a row; one without a value that is a number other than zero says nothing.
  package mutating func add(_ row: UnsafeBufferPointer<Float>) {
    let sizes = row.map(abs)
    // Of a row that is mostly zeros, the others' median.
    let sorted = sizes.filter { $0 > 0 }.sorted()
    guard let most = sorted.last, most.isFinite, sizes.allSatisfy(\.isFinite),
      let column = sizes.firstIndex(of: most)
    else { return }
    rows += 1
    greatest = max(greatest, most)
    let ratio = Double(most) / Double(sorted[sorted.count / 2])
    ratios += ratio
    worst = max(worst, ratio)
    if ratio > Self.outlier { outlierRows += 1 }
    columns[column, default: 0] += 1
    for start in stride(from: 0, to: row.count, by: Self.group) {
      let values = row[start..<min(start + Self.group, row.count)]
      squares += values.reduce(0) { $0 + Double($1 * $1) }
      errors8 += Self.error(values, levels: 127)
      errors4 += Self.error(values, levels: 7)
    }
  }

  /// The squared error of rounding values to whole multiples of their greatest over `levels`.
  private static func error(
    _ values: Slice<UnsafeBufferPointer<Float>>, levels: Float
  ) -> Double {
    let scale = values.reduce(0) { max($0, abs($1)) } / levels
    guard scale > 0 else { return 0 }
    return values.reduce(0) { sum, value in
      let error = value - (value / scale).rounded() * scale
      return sum + Double(error * error)
    }
  }

  private enum CodingKeys: CodingKey {
    case name, rows, greatest, ratio, worstRatio, outlierRows, columnShare, error8, error4
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(rows, forKey: .rows)
    try container.encode(greatest, forKey: .greatest)
    try container.encode(ratio, forKey: .ratio)
    try container.encode(worstRatio, forKey: .worstRatio)
    try container.encode(outlierRows, forKey: .outlierRows)
    try container.encode(columnShare, forKey: .columnShare)
    try container.encode(error8, forKey: .error8)
    try container.encode(error4, forKey: .error4)
  }
}
