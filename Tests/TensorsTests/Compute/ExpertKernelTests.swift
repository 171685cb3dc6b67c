import CKernels
import Foundation
import Testing

/// The kernels of mixtures of experts: every build to the bit as the portable one.
@Suite struct ExpertKernelTests {
  @Test(arguments: [1, 15, 16, 33, 200]) func weightedSums(count: Int) {
    var noise = Noise(UInt64(count))
    let (x, y) = (noise.array(count, scale: 3), noise.array(count))
    let sums = KernelTests.builds.map { build in
      var sum = y
      build.kernels.pointee.add_scaled(&sum, x, count, 0.3)
      return sum
    }
    for sum in sums { #expect(bits(sum) == bits(sums[0])) }
    for index in 0..<count {
      #expect(sums[0][index] == y[index].addingProduct(x[index], 0.3))
    }
  }

  @Test(arguments: [1, 15, 16, 33, 200]) func clampedGates(count: Int) {
    var noise = Noise(UInt64(count))
    let (gate, up) = (noise.array(count, scale: 6), noise.array(count, scale: 6))
    let results = KernelTests.builds.map { build in
      var y = gate
      build.kernels.pointee.swiglu_clamped(gate, up, &y, count, 1.702, 2.5)
      return y
    }
    for result in results { #expect(bits(result) == bits(results[0])) }
    #expect(count < 16 || gate.contains { $0 > 2.5 } && up.contains { $0 < -2.5 })
    for index in 0..<count {
      let g = min(Double(gate[index]), 2.5)
      let u = max(min(Double(up[index]), 2.5), -2.5)
      let expected = g / (1 + exp(-Double(Float(1.702)) * g)) * (u + 1)
      #expect(abs(Double(results[0][index]) - expected) < 1e-6 * max(1, abs(expected)))
    }
  }

  @Test func notANumberStaysOne() {
    for build in KernelTests.builds {
      for (gate, up) in [(Float.nan, Float(1)), (1, .nan)] {
        let gates = [Float](repeating: gate, count: 17)
        var y = gates
        let ups = [Float](repeating: up, count: 17)
        build.kernels.pointee.swiglu_clamped(gates, ups, &y, 17, 1.702, 7)
        #expect(y.count { $0.isNaN } == 17)
      }
    }
  }
}
