package import Files

/// Finds texts that share most of their n-grams of tokens with an earlier one.
///
/// N-grams that many texts have, such as "Can you help me with", say nothing: they count only where a text
/// has no others.
package struct NearDuplicates {
  /// Tokens of an n-gram.
  static let length = 4
  /// The share of a text's n-grams in one earlier text from which on it is a duplicate.
  static let share = 0.5
  /// Texts with an n-gram from which on it says nothing.
  static let common = 64

  private var places: [UInt64: [Int32]] = [:]  // of the texts with an n-gram
  private var count: Int32 = 0

  package init() {}

  /// Takes a text in, unless it is a duplicate of one before.
  ///
  /// - Returns: Whether it was taken.
  package mutating func insert(_ tokens: [Token]) -> Bool {
    let grams = Self.grams(tokens)
    let telling = grams.filter { (places[$0]?.count ?? 0) < Self.common }
    guard !telling.isEmpty else { return false }
    var shared: [Int32: Int] = [:]
    for gram in telling { for text in places[gram] ?? [] { shared[text, default: 0] += 1 } }
    let most = shared.values.max() ?? 0
    guard Double(most) < Self.share * Double(telling.count) else { return false }
    for gram in telling { places[gram, default: []].append(count) }
    count += 1
    return true
  }

  /// The distinct n-grams; a short text is one.
  private static func grams(_ tokens: [Token]) -> Set<UInt64> {
    func hash(_ part: ArraySlice<Token>) -> UInt64 {
      var hash = FNV1a()
      for token in part { hash.add(word: UInt64(UInt32(bitPattern: token))) }
      return SplitMix.mix(hash.value)
    }
    guard tokens.count > length else { return [hash(tokens[...])] }
    return Set((0...tokens.count - length).map { hash(tokens[$0..<$0 + length]) })
  }
}
