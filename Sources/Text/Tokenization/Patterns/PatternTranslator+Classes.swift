extension PatternTranslator {
  /// Reads a class behind its bracket.
  mutating func characterClass(depth: Int) throws -> PatternClass {
    guard depth < Self.depthLimit else { throw refusal("so many classes in each other") }
    let isNegated = skip("^")
    var sides: [PatternClass] = []
    var side = PatternClass()
    var isFirst = true
    while true {
      guard index < scalars.count else { throw refusal("[ without ]") }
      if scalars[index] == "]", !isFirst { break }
      isFirst = false
      if skip("&&") {
        sides.append(side)
        side = PatternClass()
      } else if skip("[:") {
        side.formUnion(try posixClass())
      } else if skip("[") {
        side.formUnion(try characterClass(depth: depth + 1))
      } else if let set = try classEscape() {
        side.formUnion(set)
        if peek("-"), index + 1 < scalars.count, scalars[index + 1] != "]" {
          throw refusal("a range from a class")
        }
      } else {
        side.append(try range())
      }
    }
    index += 1
    sides.append(side)
    guard !sides.contains(where: \.isEmpty) else { throw refusal("an empty class") }
    let set = sides.count == 1 ? side : PatternClass(intersection: sides)
    return isNegated ? set.complement : set
  }

  private mutating func classEscape() throws -> PatternClass? {
    guard scalars[index] == "\\", index + 1 < scalars.count else { return nil }
    index += 1
    if let set = try setEscape(inClass: true) { return set }
    index -= 1
    return nil
  }

  private mutating func classCharacter() throws -> Unicode.Scalar {
    let scalar = scalars[index]
    index += 1
    guard scalar == "\\" else { return scalar }
    guard index < scalars.count else { throw refusal("\\") }
    return try characterEscape(inClass: true)
  }

  /// A character, or a range of them.
  private mutating func range() throws -> String {
    let first = try classCharacter()
    guard peek("-"), index + 1 < scalars.count, scalars[index + 1] != "]" else {
      return Self.literal(first)
    }
    index += 1
    guard scalars[index] != "[", !peek("&&"), try classEscape() == nil else {
      throw refusal("a range to a class")
    }
    let last = try classCharacter()
    guard first <= last else { throw refusal("[\(first)-\(last)]") }
    return "\(Self.literal(first))-\(Self.literal(last))"
  }

  /// `[:name:]` or `[:^name:]` behind its colon.
  private mutating func posixClass() throws -> PatternClass {
    let isNegated = skip("^")
    let letters = scalars[index...].prefix { ("a"..."z").contains($0) }
    index += letters.count
    let name = String(String.UnicodeScalarView(letters))
    guard skip(":]"), let set = PatternClass.posix(name) else { throw refusal("[:\(name):]") }
    return isNegated ? set.complement : set
  }
}
