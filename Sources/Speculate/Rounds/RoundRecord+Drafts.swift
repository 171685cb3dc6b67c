/// Which draft is which, in chains and trees alike.
extension RoundRecord {
  /// The longest chain of drafts that was verified: how many could have been accepted.
  public var depth: Int {
    guard !parents.isEmpty else { return drafts.count }
    var depths: [Int] = []
    for parent in parents {
      depths.append(depths.indices.contains(parent) ? depths[parent] + 1 : 1)
    }
    return depths.max() ?? 0
  }

  /// Takes back the last tokens, which came out no more.
  package mutating func removeLast(_ count: Int) {
    guard count > 0 else { return }
    tokens.removeLast(count)
    probabilities.removeLast(count)
    accepted = min(accepted, tokens.count)
    rejection = nil
  }

  /// Where a draft came from.
  public func origin(of draft: Int) -> DraftOrigin? {
    origins.indices.contains(draft) ? origins[draft] : origin
  }

  /// The accepted drafts in the order of their places; fewer than `accepted` only if the record
  /// contradicts itself.
  public var acceptedDrafts: [Int] {
    guard !parents.isEmpty else { return Array(0..<min(accepted, drafts.count)) }
    var path: [Int] = []
    for token in tokens.prefix(accepted) {
      let last = path.last ?? -1
      guard
        let child = drafts.indices.first(where: { parents[$0] == last && drafts[$0] == token })
      else { break }
      path.append(child)
    }
    return path
  }

  /// The draft behind the accepted ones, which the target did not choose; of several the likeliest,
  /// which ``rejection`` tells about. `nil` if there is none.
  public var rejectedDraft: Int? {
    guard !parents.isEmpty else { return accepted < drafts.count ? accepted : nil }
    return parents.lastIndex(of: acceptedDrafts.last ?? -1)
  }
}
