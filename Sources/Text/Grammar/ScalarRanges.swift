/// Sets of characters as ranges of their numbers.
enum ScalarRanges {
  static let all: [ClosedRange<UInt32>] = [0...GrammarExpression.lastScalar]

  /// The characters that are of none of these ranges.
  static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var rest: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { rest.append(next...range.lowerBound - 1) }
      next = max(next, range.upperBound + 1)
    }
    if next <= GrammarExpression.lastScalar { rest.append(next...GrammarExpression.lastScalar) }
    return rest
  }

  /// The characters that are of both.
  static func common(
    _ left: [ClosedRange<UInt32>], _ right: [ClosedRange<UInt32>]
  ) -> [ClosedRange<UInt32>] {
    left.flatMap { a in right.filter { $0.overlaps(a) }.map { $0.clamped(to: a) } }
  }

  // ECMA-262's classes.
  static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
  static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
  static let spaces: [ClosedRange<UInt32>] = [
    0x9...0xD, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
    0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ]
}
