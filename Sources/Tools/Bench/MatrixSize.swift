import ArgumentParser

/// A matrix's size as an option's value: `4096x1024` has 4096 outputs and 1024 inputs.
struct MatrixSize: ExpressibleByArgument, CustomStringConvertible {
  /// Outputs.
  let rows: Int
  /// Inputs.
  let columns: Int

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// Reads two whole numbers from 1 to 262144 with an `x` between them.
  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == 2, parts.count == 2, numbers.allSatisfy((1...1 << 18).contains) else {
      return nil
    }
    self.init(rows: numbers[0], columns: numbers[1])
  }

  var description: String { "\(rows)x\(columns)" }
  var defaultValueDescription: String { description }
}
