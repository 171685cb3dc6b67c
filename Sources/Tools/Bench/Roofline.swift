import Analysis
import Files
import Tensors
import Verifier

/// The least time that a pass of a model can take on this machine: that of reading its weights, or of
/// multiplying them, whichever is longer.
struct Roofline {
  /// Seconds of reading every weight once.
  let readSeconds: Double
  /// Seconds of multiplying every weight by one row.
  let rowSeconds: Double

  /// Measures the reads of a model's weights and the peak of each arithmetic that it needs, in about a fifth of
  /// a second.
  init(_ model: CausalModel, workers: Workers) {
    var weights: [Arithmetic: Int] = [:]
    for matrix in model.matrices {
      weights[matrix.format.arithmetic, default: 0] += matrix.rows * matrix.columns
    }
    let reader = WeightReader(model)
    let passes = reader.passes(in: 0.02, workers: workers)
    let reads = (0..<5).map { _ in reader.seconds(passes: passes, workers: workers) }
    readSeconds = median(reads) / Double(passes)
    rowSeconds = weights.reduce(0) { sum, some in
      let peaks = (0..<3).map { _ in some.key.peak(seconds: 0.01, workers: workers) }
      return sum + Double(some.value) / median(peaks)
    }
  }

  func seconds(rows: Int) -> Double { max(readSeconds, Double(rows) * rowSeconds) }

  /// How much longer a pass of so many rows must take than one of a single row.
  func ratio(rows: Int) -> Double { seconds(rows: rows) / seconds(rows: 1) }
}
