import Foundation

extension TemplateEvaluator {
  func negated(_ value: TemplateValue) throws -> TemplateValue {
    if let integer = value.integer {
      return .integer(try checked(Int(0).subtractingReportingOverflow(integer)))
    }
    guard let number = value.number else { throw unusable(value, "'-'") }
    return .float(-number)
  }

  func arithmetic(
    _ operation: TemplateExpression.Arithmetic, _ left: TemplateValue, _ right: TemplateValue
  ) throws -> TemplateValue {
    for value in [left, right] { if value.isUndefined { throw unusable(value, "") } }
    if let left = left.integer, let right = right.integer {
      return try integers(operation, left, right)
    }
    if let left = left.number, let right = right.number {
      return .float(try floats(operation, left, right))
    }
    if operation == .add, let first = left.text, let second = right.text {
      guard left.isMarkup || right.isMarkup else { return try text(first + second) }
      return .markup(try escaped(left) + escaped(right))
    }
    if operation == .remainder, left.text != nil { return try formatted(left, with: right) }
    switch (operation, left, right) {
    case (.add, .list(let left), .list(let right))
    where left.kind == .list && right.kind == .list || left.isTuple && right.isTuple:
      try spend(left.elements.count + right.elements.count)
      return try .list(
        of: left.elements + right.elements, kind: left.isTuple ? .tuple : .list)
    case (.multiply, .string, _), (.multiply, .markup, _), (.multiply, .list, _):
      return try `repeat`(left, right)
    case (.multiply, _, .string), (.multiply, _, .markup), (.multiply, _, .list):
      return try `repeat`(right, left)
    default:
      throw TemplateProblem(
        "'\(operation.rawValue)' is not possible between a '\(left.typeName)' and a "
          + "'\(right.typeName)'")
    }
  }

  /// A text or list several times over.
  private func `repeat`(_ value: TemplateValue, _ count: TemplateValue) throws -> TemplateValue {
    guard let count = count.integer, value.list.map({ $0.kind == .list || $0.isTuple }) ?? true
    else {
      throw TemplateProblem(
        "'*' is not possible between a '\(value.typeName)' and a '\(count.typeName)'")
    }
    let size = value.text?.utf8.count ?? value.list?.elements.count ?? 0
    let total = max(count, 0).multipliedReportingOverflow(by: size)
    try checkLength(total.overflow ? .max : total.partialValue)
    if let text = value.text { return like(value, String(repeating: text, count: max(count, 0))) }
    let kind: TemplateList.Kind = value.list?.isTuple ?? false ? .tuple : .list
    guard let list = value.list, count > 0, size > 0 else { return try .list(of: [], kind: kind) }
    try spend(total.partialValue)
    return try .list(of: (0..<count).flatMap { _ in list.elements }, kind: kind)
  }

  /// A result that fits.
  func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Int {
    guard !result.overflow else { throw TemplateProblem("a whole number is too large") }
    return result.partialValue
  }

  private func integers(
    _ operation: TemplateExpression.Arithmetic, _ left: Int, _ right: Int
  ) throws -> TemplateValue {
    switch operation {
    case .add: return .integer(try checked(left.addingReportingOverflow(right)))
    case .subtract: return .integer(try checked(left.subtractingReportingOverflow(right)))
    case .multiply: return .integer(try checked(left.multipliedReportingOverflow(by: right)))
    case .divide: return .float(try floats(.divide, Double(left), Double(right)))
    case .floorDivide, .remainder:
      guard right != 0 else { throw TemplateProblem("division by zero") }
      let quotient = try checked(left.dividedReportingOverflow(by: right))
      let remainder = left - quotient * right
      let isBelow = remainder != 0 && (remainder < 0) != (right < 0)
      return .integer(
        operation == .floorDivide
          ? quotient - (isBelow ? 1 : 0) : remainder + (isBelow ? right : 0))
    case .power:
      if right < 0 { return .float(try floats(.power, Double(left), Double(right))) }
      var (result, base, exponent) = (1, left, right)
      while exponent > 0 {
        if exponent & 1 == 1 { result = try checked(result.multipliedReportingOverflow(by: base)) }
        exponent >>= 1
        if exponent > 0 { base = try checked(base.multipliedReportingOverflow(by: base)) }
      }
      return .integer(result)
    }
  }

  private func floats(
    _ operation: TemplateExpression.Arithmetic, _ left: Double, _ right: Double
  ) throws -> Double {
    if right == 0 {
      switch operation {
      case .divide, .floorDivide, .remainder: throw TemplateProblem("division by zero")
      default: break
      }
    }
    switch operation {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .divide: return left / right
    case .floorDivide: return (left / right).rounded(.down)
    case .remainder:
      let remainder = left.truncatingRemainder(dividingBy: right)
      return remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder
    case .power:
      guard left != 0 || right >= 0 else { throw TemplateProblem("division by zero") }
      return pow(left, right)
    }
  }

  func compare(
    _ operation: TemplateExpression.Comparison, _ left: TemplateValue, _ right: TemplateValue
  ) throws -> Bool {
    try spend(min(left.weight, right.weight))
    switch operation {
    case .equal: return left.equals(right)
    case .notEqual: return !left.equals(right)
    case .contained: return try contains(right, left)
    case .notContained: return try !contains(right, left)
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      for value in [left, right] { if value.isUndefined { throw unusable(value, "") } }
      // NaN is neither less nor equal.
      let (first, second) =
        operation == .less || operation == .lessOrEqual ? (left, right) : (right, left)
      if try first.isLess(than: second, operation.rawValue) { return true }
      return (operation == .lessOrEqual || operation == .greaterOrEqual) && first.equals(second)
    }
  }

  func contains(_ container: TemplateValue, _ value: TemplateValue) throws -> Bool {
    try spend(container.weight)
    switch container {
    case .undefined: return false
    case .list(let list): return list.elements.contains { $0.equals(value) }
    case .mapping(let mapping):
      return try !value.isUndefined && mapping[TemplateKey(value)] != nil
    case .iterator:
      while let element = try firstElement(of: container) {
        try spend(1)
        if element.equals(value) { return true }
      }
      return false
    case .string(let text), .markup(let text):
      guard let part = value.text else {
        if case .undefined(let message) = value { throw TemplateProblem(message) }
        throw TemplateProblem("a text can't contain a '\(value.typeName)'")
      }
      return PythonText.contains(text, part)
    default: throw TemplateProblem("a '\(container.typeName)' can't contain anything")
    }
  }
}
