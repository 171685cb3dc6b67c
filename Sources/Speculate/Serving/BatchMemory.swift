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
  /// Bytes of sequences that have left since memory was last given back to the system.
  private var freed = 0

  /// Budgets that may be freed before their memory is given back, and while there is nothing to do.
  private static let (freedBudgets, idleBudgets) = (8, 1)

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

  mutating func give(_ count: Int) {
    positions -= count
    freed += count * positionBytes
  }

  /// Gives the memory of sequences that have left back to the system now and then.
  ///
  /// Their keys and values come and go in all sizes, so that the allocator would keep as much as was ever in use
  /// at once, beside what the prefix cache holds by now.
  mutating func trim(isIdle: Bool) {
    guard freed / (isIdle ? Self.idleBudgets : Self.freedBudgets) >= budget else { return }
    freed = 0
    Memory.trim()
  }

  /// Sees that there is room for so many bytes more, as far as kept beginnings can give way.
  func makeRoom(_ wanted: Int) -> Bool {
    while bytes + wanted > budget {
      guard prefixes?.forgetOne() ?? false else { return false }
    }
    return true
  }
}
