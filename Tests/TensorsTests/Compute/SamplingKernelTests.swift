import CKernels
import Foundation
import Tensors
import Testing

/// The searches of sampling: every build against plain loops.
struct SamplingKernelTests {
  static let counts = [0, 1, 15, 16, 17, 33, 1000]

  @Test(arguments: counts, [false, true]) func race(count: Int, mapped: Bool) {
    var noise = Noise(UInt64(count) + 3)
    var x = noise.array(count).map { $0 * 5 }
    if count > 20 {
      x[3] = -.infinity
      x[18] = .nan
    }
    let tokens = (0..<count).map { Int32($0 * 97 + 5) }
    let key: UInt64 = 0x1234_5678_9ABC_DEF0
    let top = x.max { $0.isNaN || $0 < $1 } ?? 0
    for need: Float in [0.01, 1, 30] {
      // A rounding of the kernel's exponential may decide what is within 1e-5 of the line.
      var sure: [UInt32] = []
      var possible: [UInt32] = []
      for i in 0..<count {
        let token = mapped ? tokens[i] : Int32(7 + i)
        let u = Double(Kernels.noise(of: token, key: key) >> 8) * 0x1p-24
        let weight = exp(Double(x[i]) - Double(top))
        if u * Double(need) <= weight * (1 - 1e-5) { sure.append(UInt32(i)) }
        if u * Double(need) <= weight * (1 + 1e-5) { possible.append(UInt32(i)) }
      }
      for (_, kernels) in KernelTests.builds {
        var found = [UInt32](repeating: 0, count: count)
        let length = kernels.pointee.race(
          x, mapped ? tokens : nil, 7, count, UInt32(truncatingIfNeeded: key),
          UInt32(key >> 32), top, need, &found)
        let entered = found[..<length]
        #expect(Set(entered).isSuperset(of: sure) && Set(possible).isSuperset(of: entered))
        #expect(entered.sorted() == Array(entered))
      }
      // Some enter and some don't, or this proves nothing.
      if count == 1000, need < 2 { #expect(sure.count > 3 && possible.count < 900) }
    }
  }

  /// One value that isn't finite is found wherever it stands, on the way to the greatest.
  @Test(arguments: counts) func greatestOfFiniteValues(count: Int) {
    var noise = Noise(UInt64(count) + 5)
    let x = noise.array(count)
    let best = x.indices.max { x[$0] < x[$1] }
    for (_, kernels) in KernelTests.builds {
      guard let best else {
        #expect(kernels.pointee.finite_argmax(x, 0) == 0)
        continue
      }
      #expect(kernels.pointee.finite_argmax(x, count) == best)
      #expect(kernels.pointee.finite_maximum(x, count) == x[best])
      for place in Set([0, count / 2, count - 1]) {
        for bad: Float in [.nan, .infinity, -.infinity] {
          var damaged = x
          damaged[place] = bad
          #expect(kernels.pointee.finite_argmax(damaged, count) == count)
          #expect(!kernels.pointee.finite_maximum(damaged, count).isFinite)
        }
      }
    }
  }

  @Test(arguments: counts) func filters(count: Int) {
    var noise = Noise(UInt64(count) + 9)
    var x = noise.array(count)
    if count > 20 {
      x[2] = .nan
      x[19] = .infinity
      x[4] = -.infinity
    }
    for bound: Float in [-.infinity, -0.3, 0, x.first ?? 0, .infinity] {
      let expected = (0..<count).filter { x[$0] >= bound }.map { UInt32($0) }
      for (_, kernels) in KernelTests.builds {
        var found = [UInt32](repeating: 0, count: count)
        let length = kernels.pointee.at_least(x, count, bound, &found)
        #expect(Array(found[..<length]) == expected)
        var masked = x
        kernels.pointee.mask_below(&masked, count, bound)
        #expect(masked == x.map { $0 >= bound ? $0 : -.infinity })
        var divided = x
        kernels.pointee.divide(&divided, count, 0.7)
        #expect(divided.map(\.bitPattern) == x.map { ($0 / 0.7).bitPattern })
      }
    }
  }
}
