extension TemplateEvaluator {
  static let sequenceFilters: [String: Filter] = [
    "first": plain { evaluator, value in
      try evaluator.firstElement(of: value) ?? .undefined("there is no first element")
    },
    "last": plain { evaluator, value in
      if case .iterator = value { throw evaluator.unusable(value, "'last'") }
      return try evaluator.elements(of: value).last ?? .undefined("there is no last element")
    },
    "list": plain { evaluator, value in try .list(of: evaluator.elements(of: value)) },
    "join": join, "map": map, "reverse": reverse, "sort": sort, "sum": sum, "unique": unique,
    "batch": batch, "slice": slice, "groupby": groups,
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
    let elements = try value.isTrue ? elements(of: value) : []
    let kept = try elements.filter { element in
      try nested {
        let subject = try path.map { try lookUp($0, in: element) } ?? element
        return try (name.map { try test($0, subject, others) } ?? subject.isTrue) == keeps
      }
    }
    return iterator(over: kept)
  }

  private static let map: Filter = { evaluator, value, arguments in
    let elements = try value.isTrue ? evaluator.elements(of: value) : []
    if let first = arguments.positional.first {
      let name = try evaluator.printed(first)
      let others = TemplateArguments(
        positional: Array(arguments.positional.dropFirst()), named: arguments.named)
      return evaluator.iterator(
        over: try elements.map { element in
          try evaluator.nested { try evaluator.filter(name, element, others) }
        })
    }
    let values = try arguments.bound(to: ["attribute", "default"], required: 1, of: "map")
    let path = values[0] ?? .null
    return evaluator.iterator(
      over: try elements.map { element in
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
      let elements = try evaluator.elements(of: value)
      if case .iterator = value { return try .list(of: elements.reversed()) }
      return evaluator.iterator(over: elements.reversed())
    }
    try evaluator.spend(text.utf8.count)
    var reversed = String.UnicodeScalarView()
    reversed.append(contentsOf: text.unicodeScalars.reversed())
    return evaluator.like(value, String(reversed))
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
    return evaluator.iterator(over: kept)
  }

  /// A whole number that an argument has to be.
  private func count(_ value: TemplateValue?, _ name: String) throws -> Int {
    guard let count = value?.integer, count > 0 else {
      throw TemplateProblem("'\(name)' takes a number above 0")
    }
    return count
  }

  /// Lists of some elements each, the last one filled up.
  private static let batch: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["linecount", "fill_with"], required: 1, of: "batch")
    let count = try evaluator.count(values[0], "batch")
    let elements = try evaluator.elements(of: value)
    let batches = try stride(from: 0, to: elements.count, by: count).map { start in
      var batch = Array(elements[start..<min(start + count, elements.count)])
      if let fill = values[1], !fill.isNull {
        try evaluator.spend(count)
        batch += [TemplateValue](repeating: fill, count: count - batch.count)
      }
      return try TemplateValue.list(of: batch)
    }
    return evaluator.iterator(over: batches)
  }

  /// Some lists of about as many elements each.
  private static let slice: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(to: ["slices", "fill_with"], required: 1, of: "slice")
    let count = try evaluator.count(values[0], "slice")
    try evaluator.spend(count)
    let elements = try evaluator.elements(of: value)
    let (size, longer) = elements.count.quotientAndRemainder(dividingBy: count)
    var start = 0
    let slices = try (0..<count).map { number in
      let end = start + size + (number < longer ? 1 : 0)
      defer { start = end }
      let fill = number < longer ? nil : values[1].flatMap { $0.isNull ? nil : $0 }
      return try TemplateValue.list(of: elements[start..<end] + [fill].compactMap { $0 })
    }
    return evaluator.iterator(over: slices)
  }

  /// Elements by an attribute, each group a tuple of its value and the elements, in the order of values.
  private static let groups: Filter = { evaluator, value, arguments in
    let values = try arguments.bound(
      to: ["attribute", "default", "case_sensitive"], required: 1, of: "groupby")
    let isCaseSensitive = values[2]?.isTrue ?? false
    func grouper(_ element: TemplateValue) throws -> TemplateValue {
      let found = try evaluator.lookUp(values[0] ?? .null, in: element)
      return found.isUndefined ? values[1] ?? found : found
    }
    let elements = try evaluator.elements(of: value)
    let keys = try elements.map { try grouper($0).folded(isCaseSensitive) }
    let pairs = try zip(keys, elements).map { try TemplateValue.tuple(of: [$0, $1]) }
    let sorted = try evaluator.elements(
      of: evaluator.sorted(pairs, by: keys, isReversed: false))
    var groups: [(key: TemplateValue, elements: [TemplateValue])] = []
    for case .list(let pair) in sorted {
      if let last = groups.last, last.key.equals(pair.elements[0]) {
        groups[groups.count - 1].elements.append(pair.elements[1])
      } else {
        groups.append((pair.elements[0], [pair.elements[1]]))
      }
    }
    return try .list(
      of: groups.map { group in
        try .list(of: [grouper(group.elements[0]), .list(of: group.elements)], kind: .group)
      })
  }
}
