import CKernels
import Testing

/// A bf16 cache holds rounded keys and values, and nothing else changes.
struct CacheFormatTests {
  @Test(arguments: [1, 3, 6], [8, 20, 64]) func attention(heads: Int, dimension: Int) {
    var noise = Noise(UInt64(heads * 100 + dimension))
    let (positions, capacity) = (600, 608)
    let raw = noise.array(positions * dimension)
    let rawValues = noise.array(positions * dimension)
    var keys = [Float](repeating: .nan, count: capacity * dimension)
    var halfKeys = [UInt16](repeating: 0x7fc0, count: capacity * dimension)
    for position in 0..<positions {
      let key = Array(raw[position * dimension..<(position + 1) * dimension])
      ck_store_key(&keys, key.map(roundedToBF16), position, dimension)
      ck_store_key_bf16(&halfKeys, key, position, dimension)
    }
    let values = rawValues.map(roundedToBF16)
    var halfValues = [UInt16](repeating: 0, count: rawValues.count)
    ck_narrow_bf16(rawValues, &halfValues, rawValues.count)
    let q = noise.array(heads * dimension, scale: 3)
    for (first, end) in [(0, 1), (0, 255), (3, 300), (250, 600)] {
      for build in KernelTests.builds {
        let kernels = build.kernels.pointee
        var expected = [Float](repeating: .nan, count: heads * dimension)
        kernels.attend(q, heads, dimension, keys, values, dimension, first, end, 0.3, &expected)
        var result = [Float](repeating: .nan, count: heads * dimension)
        kernels.attend_bf16(
          q, heads, dimension, halfKeys, halfValues, dimension, first, end, 0.3, &result)
        #expect(bits(result) == bits(expected), "\(String(cString: ck_isa_name(build.isa)))")
        #expect(result.allSatisfy { $0.isFinite })
      }
    }
  }
}
