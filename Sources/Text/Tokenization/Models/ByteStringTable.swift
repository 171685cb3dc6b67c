import Files

/// A set of byte strings numbered in the order of their insertion.
///
/// All strings lie in one buffer and the hash table holds only numbers, so that a vocabulary of
/// 150,000 pieces costs three allocations. Strings are compared byte by byte: Swift's `String`
/// would take canonically equivalent pieces for one.
struct ByteStringTable: Sendable {
  /// The strings, one behind the other.
  private var bytes: [UInt8] = []
  /// [count + 1] where each string begins; the last entry is the end of all.
  private var starts: [Int] = [0]
  /// [power of two] string numbers by hash, open addressing; -1 is empty. At most half full.
  private var slots: [Int32]

  var count: Int { starts.count - 1 }

  /// Makes an empty table with room for some strings.
  init(minimumCapacity: Int = 64) {
    var size = 128
    while size < 2 * minimumCapacity { size *= 2 }
    slots = Array(repeating: -1, count: size)
  }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[starts[index]..<starts[index + 1]] }

  /// The number of a string, `nil` when it is not in the table.
  func index(of string: UnsafeBufferPointer<UInt8>) -> Int? {
    let found = slots[slot(of: string)]
    return found < 0 ? nil : Int(found)
  }

  /// The number of a string, `nil` when it is not in the table.
  func index(of string: some Collection<UInt8>) -> Int? {
    string.withContiguousStorageIfAvailable { index(of: $0) }
      ?? Array(string).withUnsafeBufferPointer { index(of: $0) }
  }

  /// Adds a string that may be there already, and returns its number.
  @discardableResult
  mutating func insert(_ string: UnsafeBufferPointer<UInt8>) -> (index: Int, isNew: Bool) {
    let slot = slot(of: string)
    if slots[slot] >= 0 { return (Int(slots[slot]), false) }
    slots[slot] = Int32(count)
    bytes.append(contentsOf: string)
    starts.append(bytes.count)
    if 2 * count > slots.count { grow() }
    return (count - 1, true)
  }

  /// The slot where a string is, or the empty one where it belongs.
  private func slot(of string: UnsafeBufferPointer<UInt8>) -> Int {
    var slot = Self.hash(string) & (slots.count - 1)
    while slots[slot] >= 0, !isEqual(Int(slots[slot]), string) {
      slot = (slot + 1) & (slots.count - 1)
    }
    return slot
  }

  private func isEqual(_ index: Int, _ string: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = starts[index]
    guard starts[index + 1] - start == string.count else { return false }
    for offset in 0..<string.count where bytes[start + offset] != string[offset] { return false }
    return true
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: 2 * slots.count)
    bytes.withUnsafeBufferPointer { all in
      for index in 0..<count {
        let string = UnsafeBufferPointer(rebasing: all[starts[index]..<starts[index + 1]])
        var slot = Self.hash(string) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
      }
    }
  }

  /// FNV-1a, with a last multiplication so that the low bits depend on every byte.
  private static func hash(_ string: UnsafeBufferPointer<UInt8>) -> Int {
    var hash = FNV1a()
    hash.add(string)
    hash.fold(by: 32)
    return Int(truncatingIfNeeded: (hash.value &* SplitMix.step) >> 20)
  }
}
