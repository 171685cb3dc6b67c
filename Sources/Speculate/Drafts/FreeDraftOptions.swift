/// Which drafts are tried that cost no pass. None of this changes the output.
public struct FreeDraftOptions: Sendable, Equatable {
  /// Whether the end of the text is looked up in earlier text.
  public var suffix: Bool
  /// Whether what verification threw away is tried again.
  public var recycling: Bool

  /// Matches in earlier text that are tried in one round.
  var suffixMatches = 2
  /// Runs that the pool of what was thrown away holds.
  var poolRuns = 4

  /// Neither.
  public static let none = FreeDraftOptions(suffix: false, recycling: false)

  /// Makes a choice.
  public init(suffix: Bool = true, recycling: Bool = false) {
    self.suffix = suffix
    self.recycling = recycling
  }

  var isEmpty: Bool { !suffix && !recycling }
}
