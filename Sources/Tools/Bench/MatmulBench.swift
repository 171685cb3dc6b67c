import Files
import Tensors

/// Products of one weight matrix with rows of activations, the weights coming from memory.
///
/// As many copies of the matrix as caches can't hold are multiplied in turn.
struct MatmulBench {
  /// Bytes of all copies together, at least: several times the caches of usual machines.
  private static let footprint = 192 << 20

  private let copies: [PackedMatrix]
  private let workers: Workers
  private let input: FloatBuffer  // [widest][columns]
  private let output: FloatBuffer  // [widest][rows]

  let format: WeightFormat
  /// Bytes of one copy.
  var bytes: Int { copies[0].byteCount }
  /// Multiplications of one row with one copy.
  let weightCount: Int

  init(_ size: MatrixSize, format: WeightFormat, widest: Int, workers: Workers) {
    self.workers = workers
    self.format = format
    weightCount = size.rows * size.columns
    let values = Self.noise(size.rows * size.columns)
    func copy() -> PackedMatrix {
      PackedMatrix(values, rows: size.rows, columns: size.columns, format: format)
    }
    var copies = [copy()]
    while copies.count * copies[0].byteCount < Self.footprint { copies.append(copy()) }
    self.copies = copies
    input = Self.noise(widest * size.columns)
    output = FloatBuffer(count: widest * size.rows)
  }

  /// Seconds of one product of `rows` rows, the mean over all copies.
  func seconds(rows: Int) -> Double {
    let (copies, input, output, count) = (copies, input, output, workers.count)
    let start = Stopwatch.now
    for matrix in copies {
      workers.run { worker in
        matrix.multiply(
          input.base, stride: matrix.columns, into: output.base, stride: matrix.rows, count: rows,
          panels: (0..<matrix.panelCount).share(of: worker, among: count))
      }
    }
    return (Stopwatch.now - start) / Double(copies.count)
  }

  /// Seconds of reading one copy and doing nothing else, the mean over all copies.
  func readSeconds() -> Double {
    WeightReader(copies).seconds(passes: 1, workers: workers) / Double(copies.count)
  }

  /// Values between -1 and 1, the same in every run.
  static func noise(_ count: Int) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    var state: UInt64 = 7
    for index in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      buffer.base[index] = Float(state >> 40) / Float(1 << 23) - 1
    }
    return buffer
  }
}
