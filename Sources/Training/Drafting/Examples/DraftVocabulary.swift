package import Files

/// Chooses the tokens that a drafter can draft: the target's most frequent ones.
package enum DraftVocabulary {
  /// The `size` most frequent tokens, ascending by id; nil when that is the whole vocabulary.
  ///
  /// Of equally frequent tokens the lower ids are taken.
  package static func mostFrequent(_ size: Int, counts: [Int]) -> [Token]? {
    guard size < counts.count else { return nil }
    let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
    return order.prefix(size).sorted().map { Token($0) }
  }
}
