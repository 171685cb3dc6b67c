/// Where a draft comes from that costs no pass, as far as its chances differ.
struct FreeDraftKind: Hashable {
  /// Its place in tables: `0..<count`.
  let index: Int

  /// Matches of fewer tokens than this, class by class.
  private static let lengths = [4, 6, 8, 12, 16]

  /// A match of `length` tokens in earlier text.
  static func suffix(length: Int) -> Self {
    Self(index: lengths.firstIndex { length < $0 } ?? lengths.count)
  }

  /// What the target predicted behind a rejected draft.
  static let predictions = Self(index: lengths.count + 1)
  /// The drafts behind a rejected one.
  static let tail = Self(index: lengths.count + 2)
  static let pool = Self(index: lengths.count + 3)

  /// A guess under Jacobi iteration.
  static let guess = Self(index: lengths.count + 4)
  /// What the grammar of the output forces.
  static let scaffold = Self(index: lengths.count + 5)

  static let count = lengths.count + 6

  static let longest = 32

  /// The most drafts that are worth trying: 8 for short matches, 16 for long ones (docs/algorithms.md
  /// section 6), twice that where a whole passage is being repeated.
  var longest: Int {
    if self == .suffix(length: 3) { return 4 }
    if index <= Self.suffix(length: 7).index { return 8 }
    if index <= Self.suffix(length: 15).index { return 16 }
    return origin == .suffix || origin == .scaffold ? Self.longest : 8
  }

  /// The chance of a draft before anything was seen.
  var firstChance: Double {
    let suffixes = [0.35, 0.45, 0.55, 0.7, 0.75, 0.85]
    if suffixes.indices.contains(index) { return suffixes[index] }
    return self == .scaffold ? 0.9 : 0.3
  }

  var origin: DraftOrigin {
    if index <= Self.lengths.count { return .suffix }
    return self == .guess ? .jacobi : self == .scaffold ? .scaffold : .recycled
  }
}

/// Which drafts are tried that cost no pass. None of this changes the output.
public struct FreeDraftOptions: Sendable, Equatable {
  /// Whether the end of the text is looked up in earlier text.
  public var suffix: Bool
  /// Whether what verification threw away is tried again.
  public var recycling: Bool
  /// Whether what a ``Constraint`` of the output forces is tried; without one there is nothing to try.
  public var scaffold: Bool

  /// Matches in earlier text that are tried in one round.
  var suffixMatches = 2
  /// Runs that the pool of what was thrown away holds.
  var poolRuns = 4

  /// None.
  public static let none = FreeDraftOptions(suffix: false, recycling: false, scaffold: false)

  /// Makes a choice.
  public init(suffix: Bool = true, recycling: Bool = false, scaffold: Bool = true) {
    self.suffix = suffix
    self.recycling = recycling
    self.scaffold = scaffold
  }

  /// Whether nothing is tried.
  ///
  /// - Parameter isConstrained: whether there is a grammar.
  func isEmpty(isConstrained: Bool) -> Bool {
    !suffix && !recycling && !(scaffold && isConstrained)
  }
}
