extension TemplateEvaluator {
  static let sequenceFilters: [String: Filter] = [
    "first": plain { evaluator, value in
      try evaluator.elements(of: value).first ?? .undefined("there is no first element")
    },
    "last": plain { evaluator, value in
      try evaluator.elements(of: value).last ?? .undefined("there is no last element")
    },
    "list": plain { evaluator, value in try .list(of: evaluator.elements(of: value)) },
    "join": join, "map": map, "reverse": reverse, "sort": sort, "sum": sum, "unique": unique,
    "min": { try $0.extreme($1, $2, "min") }, "max": { try $0.extreme($1, $2, "max") },
    "select": { try $0.select($1, $2, keeps: true, byAttribute: false) },
    "reject": { try $0.select($1, $2, keeps: false, byAttribute: false) },
    "selectattr": { try $0.select($1, $2, keeps: true, byAttribute: true) },
    "rejectattr": { try $0.select($1, $2, keeps: false, byAttribute: true) },
  ]

  /// A value's attribute by a path such as `function.name`; a number is an index.
  private func lookUp(_ path: TemplateValue, in value: TemplateValue) throws -> TemplateValue {
    guard let text = path.text else { return try item(path, of: value) }
    return try PythonText.parts(text, between: ".").reduce(value) { value, part in
      let isIndex = !part.isEmpty && part.utf8.allSatisfy { (48...57).contains($0) }
      let key = isIndex ? Int(part).map { TemplateValue.integer($0) } : nil
      return try item(key ?? .string(part), of: value)
    }
  }

  private func select(
    _ value: TemplateValue, _ arguments: TemplateArguments, keeps: Bool, byAttribute: Bool
  ) throws -> TemplateValue {
    var rest = arguments.positional
    guard !byAttribute || !rest.isEmpty else {
      throw TemplateProblem("'selectattr' and 'rejectattr' need an attribute")
    }
    let path = byAttribute ? rest.removeFirst() : nil
    let name = rest.isEmpty ? nil : try printed(rest.removeFirst())
    let others = TemplateArguments(positional: rest, named: arguments.named)
    let elements = try elements(of: value).filter { element in
      try nested {
        let subject = try path.map { try lookUp($0, in: element) } ?? element
        return try (name.map { try test($0, subject, others) } ?? subject.isTrue) == keeps
      }
    }
    return try .list(of: elements)
  }

  private static let map: Filter = { evaluator, value, arguments in
    let elements = try evaluator.elements(of: value)
    if let first = arguments.positional.first {
      let name = try evaluator.printed(first)
      let others = TemplateArguments(
        positional: Array(arguments.positional.dropFirst()), named: arguments.named)
      return try .list(
        of: elements.map { element in
          try evaluator.nested { try evaluator.filter(name, element, others) }
        })
    }
    let values = try arguments.bound(to: ["attribute", "default"], required: 1, of: "map")
    let path = values[0] ?? .null
    return try .list(
      of: elements.map { element in
        try evaluator.spend(1)
        let found = try evaluator.lookUp(path, in: element)
        return found.isUndefined ? values[1] ?? found : found
      })
  }

  private static let join: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["d", "attribute"], of: "join")
    let separator = try evaluator.printed(values[0] ?? .string(""))
    var text = ""
    for (index, element) in try evaluator.elements(of: value).enumerated() {
      let part = try values[1].map { try evaluator.lookUp($0, in: element) } ?? element
      let printed = try evaluator.printed(part)
      if index > 0 { text += separator }
      text += printed
      try evaluator.spend(1 + (separator.utf8.count + printed.utf8.count) / 16)
      guard text.utf8.count <= TemplateLimits.text else { return try evaluator.text(text) }
    }
    return .string(text)
  }

  private static let reverse = plain { evaluator, value in
    guard let text = value.text else {
      return try .list(of: evaluator.elements(of: value).reversed())
    }
    try evaluator.spend(text.utf8.count)
    var reversed = String.UnicodeScalarView()
    reversed.append(contentsOf: text.unicodeScalars.reversed())
    return .string(String(reversed))
  }

  /// Elements in the order of their keys; those with equal keys keep their order.
  func sorted(
    _ elements: [TemplateValue], by keys: [TemplateValue], isReversed: Bool
  ) throws -> TemplateValue {
    let weight = keys.reduce(0) { min($0 + $1.weight, 1 << 32) }
    try spend(weight * (Int.bitWidth - keys.count.leadingZeroBitCount))
    let order = try keys.indices.sorted { left, right in
      if try keys[left].isLess(than: keys[right]) { return !isReversed }
      if try keys[right].isLess(than: keys[left]) { return isReversed }
      return left < right
    }
    return try .list(of: order.map { elements[$0] })
  }

  private static let sort: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["reverse", "case_sensitive", "attribute"], of: "sort")
    let elements = try evaluator.elements(of: value)
    let isCaseSensitive = values[1]?.isTrue ?? false
    let keys = try elements.map { element in
      guard let paths = values[2] else { return element.folded(isCaseSensitive) }
      guard let names = paths.text, names.contains(",") else {
        return try evaluator.lookUp(paths, in: element).folded(isCaseSensitive)
      }
      return try .list(
        of: PythonText.parts(names, between: ",").map {
          try evaluator.lookUp(.string($0), in: element).folded(isCaseSensitive)
        })
    }
    return try evaluator.sorted(elements, by: keys, isReversed: values[0]?.isTrue ?? false)
  }

  private static let sum: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["attribute", "start"], of: "sum")
    return try evaluator.elements(of: value).reduce(values[1] ?? .integer(0)) { sum, element in
      let part = try values[0].map { try evaluator.lookUp($0, in: element) } ?? element
      return try evaluator.arithmetic(.add, sum, part)
    }
  }

  private func extreme(
    _ value: TemplateValue, _ arguments: TemplateArguments, _ name: String
  ) throws -> TemplateValue {
    let values = try arguments.bound(to: ["case_sensitive", "attribute"], of: name)
    let isCaseSensitive = values[0]?.isTrue ?? false
    var best: (key: TemplateValue, element: TemplateValue)?
    for element in try elements(of: value) {
      let key = try (values[1].map { try lookUp($0, in: element) } ?? element)
        .folded(isCaseSensitive)
      if let present = best {
        try spend(min(key.weight, present.key.weight))
        let isBetter =
          try name == "min" ? key.isLess(than: present.key) : present.key.isLess(than: key)
        if !isBetter { continue }
      }
      best = (key, element)
    }
    return best?.element ?? .undefined("there is no element")
  }

  private static let unique: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["case_sensitive", "attribute"], of: "unique")
    let isCaseSensitive = values[0]?.isTrue ?? false
    var keys: [TemplateValue] = []
    var kept: [TemplateValue] = []
    for element in try evaluator.elements(of: value) {
      let key = try (values[1].map { try evaluator.lookUp($0, in: element) } ?? element)
        .folded(isCaseSensitive)
      let cost = keys.count * min(key.weight, 1 << 20)
      try evaluator.spend(cost)
      if keys.contains(where: { $0.equals(key) }) { continue }
      keys.append(key)
      kept.append(element)
    }
    return try .list(of: kept)
  }
}
