import Files

extension JSONSchemaReader {
  /// An object: the members of `properties` in their order, then others where they may be.
  mutating func object(_ schema: JSONSchema) throws -> GrammarExpression {
    let required = Set(
      try (schema["required"]?.elements() ?? []).map { node in
        guard let name = node.stringBytes else {
          throw schema.error(at: "required", "is no list of names")
        }
        return Array(name)
      })
    let extra = schema["additionalProperties"]
    var extraValue: GrammarExpression?
    if let extra, extra.bool != false {
      extraValue = rule(schema.child("additionalProperties", node: extra))
    } else if extra == nil, schema["properties"] == nil {
      extraValue = json.value()
    }
    var members: [(name: [UInt8], value: GrammarExpression)] = []
    var named: Set<[UInt8]> = []
    try schema["properties"]?.forEachMember { key, node in
      let name = Array(key.stringBytes ?? [])
      guard named.insert(name).inserted else {
        throw schema.error(at: "properties", "has \(quoted(key.string ?? "")) twice")
      }
      members.append((name, rule(schema.child("properties", key.string, node: node))))
    }
    for name in required.subtracting(named).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard extra?.bool != false else {
        throw schema.error(
          at: "required",
          "names \(quoted(String(decoding: name, as: UTF8.self))), which \"additionalProperties\" forbids"
        )
      }
      members.append((name, extraValue ?? json.value()))
    }
    let spelled = members.map { member in
      GrammarExpression.sequence([
        .text(jsonLiteral(String(decoding: member.name, as: UTF8.self))), json.colon, member.value,
      ])
    }
    let further = extraValue.map {
      GrammarExpression.sequence([key(except: members.map(\.name), schema), json.colon, $0])
    }
    return .sequence([
      .text("{"),
      chain(spelled, isRequired: members.map { required.contains($0.name) }, further, schema),
      .text("}"),
    ])
  }

  /// Members in their order, of which some may be left out, and further ones.
  ///
  /// There are two rules for every place in the order: where no member was written yet, and where a comma
  /// stands before the next.
  private mutating func chain(
    _ members: [GrammarExpression], isRequired: [Bool], _ further: GrammarExpression?,
    _ schema: JSONSchema
  ) -> GrammarExpression {
    var first = further.map { json.elements($0, least: 0, most: nil) } ?? .empty
    var rest =
      further.map { GrammarExpression.repeated(.sequence([json.comma, $0]), least: 0, most: nil) }
      ?? .empty
    for index in members.indices.reversed() {
      let behind = GrammarExpression.rule(json.rules.add("\(schema.path) behind a member", rest))
      let begins = GrammarExpression.sequence([members[index], behind])
      let goesOn = GrammarExpression.sequence([json.comma, members[index], behind])
      let later = GrammarExpression.rule(json.rules.add("\(schema.path) at its beginning", first))
      first = isRequired[index] ? begins : .choice([begins, later])
      rest = isRequired[index] ? goesOn : .choice([goesOn, behind])
    }
    return first
  }

  /// A member's name that is none of some, written without escapes, so that no spelling hides one.
  private mutating func key(except names: [[UInt8]], _ schema: JSONSchema) -> GrammarExpression {
    guard !names.isEmpty else { return json.string() }
    let plain: [ClosedRange<UInt32>] = [
      0x20...0x21, 0x23...0x5B, 0x5D...GrammarExpression.lastScalar,
    ]
    let any = GrammarExpression.sequence([
      .repeated(.scalars(plain), least: 0, most: nil), .text("\""),
    ])
    /// Names by how they go on; each node is a rule for the rest of a key.
    var nodes: [(next: [UInt32: Int], isName: Bool)] = [([:], false)]
    for name in names {
      var place = 0
      for scalar in String(decoding: name, as: UTF8.self).unicodeScalars {
        if let next = nodes[place].next[scalar.value] {
          place = next
          continue
        }
        nodes.append(([:], false))
        nodes[place].next[scalar.value] = nodes.count - 1
        place = nodes.count - 1
      }
      nodes[place].isName = true
    }
    let rules = nodes.map { _ in json.rules.add("\(schema.path) another name") }
    for (index, node) in nodes.enumerated() {
      var parts: [GrammarExpression] = node.isName ? [] : [.text("\"")]
      for (scalar, next) in node.next.sorted(by: { $0.key < $1.key })
      where plain.contains(where: { $0.contains(scalar) }) {
        parts.append(.sequence([.scalars([scalar...scalar]), .rule(rules[next])]))
      }
      let others = ScalarRanges.complement(node.next.keys.map { $0...$0 })
      parts.append(.sequence([.scalars(ScalarRanges.common(others, plain)), any]))
      json.rules.bodies[rules[index]] = .choice(parts)
    }
    return .sequence([.text("\""), .rule(rules[0])])
  }

  /// An array: the elements of `prefixItems`, then those of `items`.
  mutating func array(_ schema: JSONSchema) throws -> GrammarExpression {
    let (least, most) = try schema.counts("minItems", "maxItems")
    let items = schema["items"]
    // Drafts before 2020-12 wrote what comes first as a list of items.
    let listed = items?.isArray == true ? items : schema["prefixItems"]
    let keyword = items?.isArray == true ? "items" : "prefixItems"
    var first = try (listed?.elements() ?? []).enumerated().map {
      rule(schema.child(keyword, "\($0.offset)", node: $0.element))
    }
    if let most, first.count > most { first.removeLast(first.count - most) }
    var element: GrammarExpression?
    if let items, !items.isArray {
      element = items.bool == false ? nil : rule(schema.child("items", node: items))
    } else if listed == nil || least > first.count {
      element = json.value()
    }
    if element == nil, least > first.count {
      throw schema.error(at: "minItems", "is more than the elements that may be")
    }
    guard !first.isEmpty else {
      let elements = element.map { json.elements($0, least: least, most: most) } ?? .empty
      return .sequence([.text("["), elements, .text("]")])
    }
    var parts: [GrammarExpression] = [.text("["), first[0]]
    for part in first.dropFirst() { parts += [json.comma, part] }
    if let element {
      parts.append(
        .repeated(
          .sequence([json.comma, element]), least: max(0, least - first.count),
          most: most.map { $0 - first.count }))
    }
    return .sequence(parts + [.text("]")])
  }

  mutating func string(_ schema: JSONSchema) throws -> GrammarExpression {
    let (least, most) = try schema.counts("minLength", "maxLength")
    let format = try text(schema, "format").map {
      (pattern: try StringFormats.pattern($0, schema), "format")
    }
    let own = try text(schema, "pattern").map { (pattern: $0, "pattern") }
    guard let (pattern, keyword) = own ?? format else {
      return json.string(least: least, most: most)
    }
    if own != nil, format != nil {
      throw schema.error(at: "format", "is not supported beside \"pattern\"; leave one out")
    }
    if let other = ["minLength", "maxLength"].first(where: { schema[$0] != nil }) {
      throw schema.error(at: other, "is not supported beside \"\(keyword)\"; say it in the pattern")
    }
    do {
      let content = try PatternReader.expression(
        pattern, isAnchored: false, spelling: { JSONRules.character($0) })
      return .sequence([.text("\""), content, .text("\"")])
    } catch {
      throw schema.error(at: keyword, "\(quoted(pattern)) can't be used: \(error)")
    }
  }

  private func text(_ schema: JSONSchema, _ keyword: String) throws -> String? {
    guard let node = schema[keyword] else { return nil }
    guard let text = node.string else { throw schema.error(at: keyword, "is no text") }
    return text
  }

  mutating func integer(_ schema: JSONSchema) throws -> GrammarExpression {
    var bounds = try schema.bounds(areWhole: true)
    if try numberFormat(schema) == "int32" {
      if bounds.least.map({ $0 < Int(Int32.min) }) ?? true {
        (bounds.least, bounds.excludesLeast) = (Int(Int32.min), false)
      }
      if bounds.most.map({ $0 > Int(Int32.max) }) ?? true {
        (bounds.most, bounds.excludesMost) = (Int(Int32.max), false)
      }
    }
    return bounds.isEmpty ? json.integer() : JSONNumbers.integers(bounds)
  }

  mutating func number(_ schema: JSONSchema) throws -> GrammarExpression {
    let bounds = try schema.bounds(areWhole: false)
    if let format = try numberFormat(schema), format.hasPrefix("int") { return try integer(schema) }
    return bounds.isEmpty ? json.number() : JSONNumbers.numbers(bounds)
  }

  /// OpenAPI's formats of numbers.
  private func numberFormat(_ schema: JSONSchema) throws -> String? {
    guard let format = try text(schema, "format") else { return nil }
    guard ["int32", "int64", "float", "double"].contains(format) else {
      guard try !schema.types().contains("string") else { return nil }
      throw schema.error(
        at: "format", "\(quoted(format)) is not supported for numbers; leave it out")
    }
    return format
  }
}
