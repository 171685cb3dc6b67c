/// A position in a text that is being cut into words; what the scanners of ``PreTokenizer`` share.
struct WordScanner {
  let text: UnsafeBufferPointer<UInt8>
  /// Where the text that is cut ends.
  let end: Int

  /// The class and byte count of the character at an index, `nil` at the end.
  @inline(__always)
  func next(_ index: Int) -> (kind: CharacterClass, length: Int)? {
    guard index < end else { return nil }
    let (value, length) = UTF8Scalars.scalar(in: text, at: index)
    return (CharacterClass(value), length)
  }

  /// The end of the run of one class that begins at an index, of at most `limit` characters.
  @inline(__always)
  func run(of kind: CharacterClass, from start: Int, limit: Int = .max) -> Int {
    var index = start
    var count = 0
    while count < limit, let (next, length) = next(index), next == kind {
      index += length
      count += 1
    }
    return index
  }

  /// The end of `\s+(?!\S)|\s+` at an index where a space is: all spaces, but if a word follows,
  /// the last one is left to it, unless it is the only one.
  func spaces(from start: Int) -> Int {
    let stop = run(of: .space, from: start)
    guard stop < end else { return stop }
    let last = UTF8Scalars.start(in: text, before: stop)
    return last > start ? last : stop
  }

  /// The end of `'s|'t|'re|'ve|'m|'ll|'d` at an index where an apostrophe is, `nil` when none of
  /// them is there.
  func contraction(at start: Int, ignoringCase: Bool) -> Int? {
    func letter(_ index: Int) -> UInt8 {
      guard index < end else { return 0 }
      return ignoringCase && text[index] < 0x80 ? text[index] | 0x20 : text[index]
    }
    switch letter(start + 1) {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return letter(start + 2) == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"): return letter(start + 2) == UInt8(ascii: "l") ? start + 3 : nil
    case 0xC5:
      // U+017F, the long s, whose upper case is S.
      return ignoringCase && letter(start + 2) == 0xBF ? start + 3 : nil
    default: return nil
    }
  }
}
