import Files

/// The budget of keys and values: what running sequences may grow to, and what the prefix cache fills.
struct BatchMemory {
  /// Bytes in all.
  let budget: Int
  /// Bytes of a position, the drafter's included.
  let positionBytes: Int
  /// Beginnings that were computed before; `nil` if none are kept.
  let prefixes: PrefixCache?
  /// Positions of running sequences.
  private var positions = 0

  /// - Throws: ``SpeculateError`` for a budget that is too small to decode anything.
  init(_ settings: BatchSettings, positionBytes: Int) throws {
    self.positionBytes = positionBytes
    budget = settings.keyValueMemory ?? (SystemMemory.available ?? 4 << 30) / 4
    prefixes = settings.cachesPrefixes ? PrefixCache() : nil
    let least = settings.passRows + 32
    guard capacity >= least else {
      throw SpeculateError(
        "key-value memory of \(budget) bytes holds \(capacity) tokens: use \(least * positionBytes) bytes"
          + " or more")
    }
  }

  /// Positions that the budget holds, in whole blocks.
  var capacity: Int { budget / positionBytes / 16 * 16 }

  /// Bytes in use.
  var bytes: Int { positions * positionBytes + (prefixes?.bytes ?? 0) }

  /// Takes positions for a sequence; beginnings that were kept give way.
  ///
  /// - Returns: whether there was room.
  mutating func take(_ count: Int) -> Bool {
    // Those that run come first: it is looked at before anything is forgotten.
    guard (positions + count) * positionBytes <= budget else { return false }
    prefixes?.tick()
    guard makeRoom(count * positionBytes) else { return false }
    positions += count
    return true
  }

  mutating func give(_ count: Int) { positions -= count }

  /// Sees that there is room for so many bytes more, as far as kept beginnings can give way.
  func makeRoom(_ wanted: Int) -> Bool {
    while bytes + wanted > budget {
      guard prefixes?.forgetOne() ?? false else { return false }
    }
    return true
  }
}
