/// Equality and order, by Python's rules.
extension TemplateValue {
  /// Whether two values are equal. The caller accounts for the smaller weight.
  func equals(_ other: TemplateValue) -> Bool {
    if let left = text, let right = other.text { return left.utf8.elementsEqual(right.utf8) }
    switch (self, other) {
    case (.undefined, .undefined), (.null, .null): return true
    case (.list(let left), .list(let right)):
      return left.isComparable(to: right) && left.elements.count == right.elements.count
        && zip(left.elements, right.elements).allSatisfy { $0.equals($1) }
    case (.mapping(let left), .mapping(let right)):
      return left.keys.count == right.keys.count
        && left.members.allSatisfy { key, value in
          (try? TemplateKey(key)).flatMap { right[$0] }?.equals(value) ?? false
        }
    case (.iterator(let left), .iterator(let right)): return left == right
    case (.namespace(let left), .namespace(let right)): return left == right
    case (.function(.global(let left)), .function(.global(let right))): return left == right
    case (.function(.macro(let left)), .function(.macro(let right))): return left == right
    default:
      if let left = integer, let right = other.integer { return left == right }
      guard let left = number, let right = other.number else { return false }
      return left == right
    }
  }

  /// Whether this stands before another value.
  ///
  /// - Throws: `TemplateProblem` when the two have no order.
  func isLess(than other: TemplateValue, _ symbol: String = "<") throws -> Bool {
    if let left = text, let right = other.text {
      // The order of UTF-8 bytes is that of code points.
      return left.utf8.lexicographicallyPrecedes(right.utf8)
    }
    if let left = list, let right = other.list,
      left.kind == .list && right.kind == .list || left.isTuple && right.isTuple
    {
      for (left, right) in zip(left.elements, right.elements) where !left.equals(right) {
        return try left.isLess(than: right, symbol)
      }
      return left.elements.count < right.elements.count
    }
    if let left = integer, let right = other.integer { return left < right }
    guard let left = number, let right = other.number else {
      throw TemplateProblem(
        "'\(symbol)' is not possible between a '\(typeName)' and a '\(other.typeName)'")
    }
    return left < right
  }
}
