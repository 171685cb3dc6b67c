import CKernels
import Foundation
import Testing

/// Functions of activation: every build to the bit as the portable one, which is as exact as f32 allows.
@Suite struct ActivationTests {
  struct Function: CustomTestStringConvertible {
    var testDescription: String
    var kernel: ck_activation
    var value: @Sendable (Double) -> Double
  }

  static let functions = [
    Function(testDescription: "silu", kernel: CK_SILU) { $0 / (1 + exp(-$0)) },
    Function(testDescription: "gelu", kernel: CK_GELU) { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 },
    Function(testDescription: "gelu by tanh", kernel: CK_GELU_TANH) {
      $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) / 2
    },
    Function(testDescription: "relu", kernel: CK_RELU) { max($0, 0) },
    Function(testDescription: "relu squared", kernel: CK_RELU_SQUARED) { pow(max($0, 0), 2) },
  ]

  private func apply(_ function: Function, _ x: [Float], up: [Float]?) -> [[Float]] {
    KernelTests.builds.map { build in
      var y = x
      withUnsafePointer(to: build.kernels.pointee.activate) {
        $0.withMemoryRebound(
          to: (@convention(c) (
            UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int
          ) -> Void)?.self, capacity: Int(CK_ACTIVATIONS.rawValue)
        ) { table in
          table[Int(function.kernel.rawValue)]?(x, up, &y, x.count)
        }
      }
      return y
    }
  }

  @Test(arguments: functions) func valuesAreThoseOfDoublePrecision(_ function: Function) {
    let x = (-4000...4000).map { Float($0) / 300 }
    let up = x.indices.map { Float($0 % 7) - 3 }
    for up in [nil, Optional(up)] {
      let results = apply(function, x, up: up)
      for result in results { #expect(bits(result) == bits(results[0])) }
      for (index, value) in results[0].enumerated() {
        let expected = function.value(Double(x[index])) * Double(up?[index] ?? 1)
        #expect(abs(Double(value) - expected) < 3e-7 * max(1, abs(expected)) * 3, "\(x[index])")
      }
    }
  }

  /// The last values of a row, fewer than a vector, are computed as the others are.
  @Test(arguments: functions, [1, 2, 15, 17, 33]) func endsOfRows(_ function: Function, count: Int)
  {
    var noise = Noise(UInt64(count))
    let x = noise.array(count, scale: 5)
    let up = noise.array(count)
    let padding = [Float](repeating: 1, count: 64 - count)
    for up in [nil, Optional(up)] {
      let whole = apply(function, x + padding, up: up.map { $0 + padding })
      for (result, whole) in zip(apply(function, x, up: up), whole) {
        #expect(bits(result) == bits(Array(whole[..<count])))
      }
    }
  }

  @Test(arguments: functions) func edges(_ function: Function) {
    let x: [Float] = [0, 3e38, -3e38, .nan, 1e-30, -1e-30, 100, -100]
    for result in apply(function, x, up: nil) {
      #expect(result[0] == 0 && result[3].isNaN && !result[2].isNaN && !result[1].isNaN)
      #expect(result[1] > 1e38 && abs(result[2]) < 2 && abs(result[7]) < 1e-30)
      #expect(result[6] == (function.kernel == CK_RELU_SQUARED ? 10_000 : 100))
    }
  }
}
