import Tensors

/// Drafts that cost no pass, for one sequence: matches of the text's end in earlier text, and what
/// verification threw away.
struct FreeDrafts {
  /// A way the text may go on.
  struct Candidate {
    var kind: FreeDraftKind
    /// The tokens behind the anchor; not empty.
    var tokens: [Token]
  }

  private let options: FreeDraftOptions
  private var index: SuffixIndex
  private var pool: NgramPool
  /// Ways to go on behind the anchor, of the round before.
  private var recycled: [Candidate] = []

  /// Drafts of a text that is empty so far.
  init(_ options: FreeDraftOptions) {
    self.options = options
    index = SuffixIndex()
    pool = NgramPool(capacity: options.recycling ? options.poolRuns : 0)
  }

  /// Whether ``recycle(rejected:predictions:anchor:)`` makes use of predictions.
  var wantsPredictions: Bool { options.recycling }

  /// Adds committed tokens; what was recycled before is void.
  mutating func commit(_ tokens: some Sequence<Token>) {
    if options.suffix { index.append(tokens) }
    recycled.removeAll(keepingCapacity: true)
  }

  /// Takes what a rejection left, after ``commit(_:)``.
  ///
  /// - Parameters:
  ///   - rejected: the drafts from the rejected one on.
  ///   - predictions: the target's choices on the rows of `rejected`: the first stands at the
  ///     position behind the new anchor. As many as `rejected`, or fewer.
  ///   - anchor: the token that the target chose instead.
  mutating func recycle(rejected: [Token], predictions: [Token], anchor: Token) {
    guard options.recycling else { return }
    if !predictions.isEmpty {
      recycled.append(Candidate(kind: .predictions, tokens: predictions))
      pool.add([anchor] + predictions)
    }
    if rejected.count > 1 {
      recycled.append(Candidate(kind: .tail, tokens: Array(rejected.dropFirst())))
    }
    pool.add(rejected)
  }

  /// What followed when the text with `ahead` behind it stood in the text before; empty if it
  /// didn't.
  func continuation(ahead: [Token], count: Int) -> [Token] {
    guard options.suffix, let match = index.matches(1, ahead: ahead).first else { return [] }
    return index.continuation(of: match, count: count)
  }

  /// Ways the text may go on, the likeliest kinds first.
  ///
  /// - Parameters:
  ///   - text: the committed tokens.
  ///   - limit: the most tokens of a candidate, at least 1.
  func candidates(after text: [Token], limit: Int) -> [Candidate] {
    var found: [Candidate] = []
    if options.suffix {
      for match in index.matches(options.suffixMatches) {
        let kind = FreeDraftKind.suffix(length: match.length)
        found.append(
          Candidate(
            kind: kind,
            tokens: index.continuation(of: match, count: Swift.min(limit, kind.longest))))
      }
    }
    for candidate in recycled {
      found.append(
        Candidate(kind: candidate.kind, tokens: Array(candidate.tokens.prefix(limit))))
    }
    if options.recycling, let anchor = text.last {
      let runs = pool.candidates(
        after: anchor, previous: text.dropLast().last, count: options.poolRuns, length: limit)
      found += runs.map { Candidate(kind: .pool, tokens: $0) }
    }
    return found
  }
}
