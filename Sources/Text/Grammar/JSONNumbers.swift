/// Numbers between bounds, digit by digit.
enum JSONNumbers {
  /// Whole numbers as bounds, either of which may be missing or left out itself; none is beyond ``largest``.
  struct Bounds {
    var least: Int?
    var most: Int?
    var excludesLeast = false
    var excludesMost = false

    var isEmpty: Bool { least == nil && most == nil }
  }

  /// Digits of a whole number, and of a fraction, at most.
  private static let mostDigits = 18
  private static let mostFraction = 17
  static let largest = 999_999_999_999_999_999
  private static let digit = GrammarExpression.scalars(ScalarRanges.digits)

  /// A point and digits.
  static let fraction = GrammarExpression.sequence([
    .text("."), .repeated(digit, least: 1, most: mostFraction),
  ])

  /// A point and digits of which one at least is not 0.
  private static let positiveFraction = GrammarExpression.sequence([
    .text("."), .repeated(digit, least: 0, most: mostFraction - 1), .scalars([0x31...0x39]),
  ])

  /// Whole numbers between bounds; no text if there are none.
  static func integers(_ bounds: Bounds) -> GrammarExpression {
    let (least, most) = closed(bounds)
    guard least <= most else { return .choice([]) }
    var parts: [GrammarExpression] = []
    if most >= 0 { parts.append(digits(max(0, least), most)) }
    if least < 0 { parts.append(.sequence([.text("-"), digits(max(1, -most), -least)])) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  /// The first and the last whole number between bounds, as far as they are written here.
  private static func closed(_ bounds: Bounds) -> (least: Int, most: Int) {
    var least = max(bounds.least ?? -largest, -largest)
    var most = min(bounds.most ?? largest, largest)
    if bounds.excludesLeast, bounds.least == least { least += 1 }
    if bounds.excludesMost, bounds.most == most { most -= 1 }
    return (least, most)
  }

  /// Numbers between bounds, without exponents.
  static func numbers(_ bounds: Bounds) -> GrammarExpression {
    var parts: [GrammarExpression] = []
    if bounds.most.map({ $0 > 0 || $0 == 0 && !bounds.excludesMost }) ?? true {
      var own = bounds
      if own.least.map({ $0 < 0 }) ?? true { (own.least, own.excludesLeast) = (0, false) }
      parts += magnitudes(own)
    }
    if bounds.least.map({ $0 < 0 }) ?? true {
      var own = Bounds(
        least: bounds.most.map { max(0, -$0) }, most: bounds.least.map { -$0 },
        excludesLeast: bounds.excludesMost, excludesMost: bounds.excludesLeast)
      // 0 has no sign here.
      if own.least == nil || own.least == 0 { (own.least, own.excludesLeast) = (0, true) }
      parts += magnitudes(own).map { .sequence([.text("-"), $0]) }
    }
    return .choice(parts)
  }

  /// Numbers from 0 on between bounds, of which the lower is there.
  private static func magnitudes(_ bounds: Bounds) -> [GrammarExpression] {
    let (least, most) = (bounds.least ?? 0, bounds.most)
    if let most, least > most { return [] }
    if least == most {
      return bounds.excludesLeast || bounds.excludesMost ? [] : [digits(least, least)]
    }
    var parts: [GrammarExpression] = [
      .sequence([
        digits(least, least), bounds.excludesLeast ? positiveFraction : .optional(fraction),
      ])
    ]
    let last = most.map { $0 - 1 } ?? largest
    if least + 1 <= last {
      parts.append(.sequence([digits(least + 1, last), .optional(fraction)]))
    }
    if let most, !bounds.excludesMost { parts.append(digits(most, most)) }
    return parts
  }

  /// Whole numbers from 0 on, without leading zeros.
  private static func digits(_ least: Int, _ most: Int) -> GrammarExpression {
    if least == 0, most == largest {
      return .choice([
        .text("0"),
        .sequence([
          .scalars([0x31...0x39]), .repeated(digit, least: 0, most: mostDigits - 1),
        ]),
      ])
    }
    var parts: [GrammarExpression] = []
    var start = least
    while start <= most {
      // Numbers of as many digits.
      let count = String(start).count
      let end = min(most, count >= mostDigits ? largest : power(count) - 1)
      parts.append(between(decimals(start), decimals(end)))
      start = end + 1
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private static func power(_ count: Int) -> Int {
    (0..<count).reduce(1) { value, _ in value * 10 }
  }

  private static func decimals(_ number: Int) -> [UInt32] {
    String(number).unicodeScalars.map(\.value)
  }

  /// Numbers of as many digits each.
  private static func between(_ low: [UInt32], _ high: [UInt32]) -> GrammarExpression {
    guard let first = low.first, let last = high.first else { return .empty }
    let (lowRest, highRest) = (Array(low.dropFirst()), Array(high.dropFirst()))
    if first == last {
      return .sequence([.scalars([first...first]), between(lowRest, highRest)])
    }
    let nines = [UInt32](repeating: 0x39, count: lowRest.count)
    let zeros = [UInt32](repeating: 0x30, count: lowRest.count)
    let any = GrammarExpression.repeated(digit, least: lowRest.count, most: lowRest.count)
    var (from, to) = (first, last)
    var parts: [GrammarExpression] = []
    if lowRest != zeros {
      parts.append(.sequence([.scalars([first...first]), between(lowRest, nines)]))
      from += 1
    }
    if highRest != nines {
      parts.append(.sequence([.scalars([last...last]), between(zeros, highRest)]))
      to -= 1
    }
    if from <= to { parts.append(.sequence([.scalars([from...to]), any])) }
    return .choice(parts)
  }
}
