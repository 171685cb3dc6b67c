import Files

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
  /// What the last look-up found, and behind it memory of earlier ones.
  private var slots: [Candidate] = []
  private var found = 0
  private var matches: [SuffixIndex.Match] = []

  /// Drafts of a text that is empty so far, with room for `capacity` tokens.
  init(_ options: FreeDraftOptions, capacity: Int = 0) {
    self.options = options
    index = SuffixIndex(capacity: capacity)
    pool = NgramPool(capacity: options.recycling ? options.poolRuns : 0)
    for _ in 0..<(options.suffix ? options.suffixMatches : 0) { addSlot(.suffix(length: 0)) }
    matches.reserveCapacity(options.suffixMatches + 1)
  }

  /// Whether ``recycle(rejected:predictions:anchor:)`` is of use.
  var isRecycling: Bool { options.recycling }

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
    guard options.suffix else { return [] }
    var matches: [SuffixIndex.Match] = []
    var tokens: [Token] = []
    index.findMatches(1, ahead: ahead, into: &matches)
    for match in matches { index.continuation(of: match, count: count, into: &tokens) }
    return tokens
  }

  /// Ways the text may go on, the likeliest kinds first, as ``lookUp(_:limit:)`` found them.
  var candidates: ArraySlice<Candidate> { slots[..<found] }

  /// Looks for ways the text may go on. Nothing is allocated for those in earlier text.
  ///
  /// - Parameters:
  ///   - text: the committed tokens.
  ///   - limit: the most tokens of a candidate; at 0 there are none.
  ///   - place: where the text is in the grammar that it is held to; `nil` without one.
  mutating func lookUp(_ text: [Token], limit: Int, place: ConstraintPlace? = nil) {
    found = 0
    guard limit > 0 else { return }
    if options.scaffold, let place {
      let slot = takeSlot(.scaffold)
      place.addForced(
        limit: Swift.min(limit, FreeDraftKind.longest), to: &slots[slot].tokens)
    }
    defer { if let place { keep(allowedAt: place) } }
    if options.suffix {
      index.findMatches(options.suffixMatches, into: &matches)
      for match in matches {
        let kind = FreeDraftKind.suffix(length: match.length)
        let slot = takeSlot(kind)
        index.continuation(
          of: match, count: Swift.min(limit, kind.longest), into: &slots[slot].tokens)
      }
    }
    guard options.recycling, let anchor = text.last else { return }
    for candidate in recycled {
      slots[takeSlot(candidate.kind)].tokens += candidate.tokens.prefix(limit)
    }
    let runs = pool.candidates(
      after: anchor, previous: text.dropLast().last, count: options.poolRuns, length: limit)
    for run in runs { slots[takeSlot(.pool)].tokens += run }
  }

  /// Cuts candidates where the grammar forbids them, and drops those of which nothing is left.
  private mutating func keep(allowedAt place: ConstraintPlace) {
    var kept = 0
    for slot in 0..<found {
      let allowed = place.allowed(slots[slot].tokens)
      guard allowed > 0 else { continue }
      slots[slot].tokens.removeLast(slots[slot].tokens.count - allowed)
      slots.swapAt(kept, slot)
      kept += 1
    }
    found = kept
  }

  private mutating func addSlot(_ kind: FreeDraftKind) {
    slots.append(Candidate(kind: kind, tokens: []))
    slots[slots.count - 1].tokens.reserveCapacity(FreeDraftKind.longest)
  }

  /// The place of another candidate, without tokens.
  private mutating func takeSlot(_ kind: FreeDraftKind) -> Int {
    if found == slots.count {
      addSlot(kind)
    } else {
      slots[found].kind = kind
      slots[found].tokens.removeAll(keepingCapacity: true)
    }
    found += 1
    return found - 1
  }
}
