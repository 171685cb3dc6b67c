import Files

/// Encodes the words of one text and remembers them: in most texts most words come again.
struct WordEncoder {
  private let model: any PieceModel
  private var merger = BytePairMerger()
  /// Words that came before, and the places of their tokens in `known`.
  private var words = ByteStringTable()
  private var places: [Range<Int>] = []
  private var known: [Token] = []

  /// Longer words are rare and not worth remembering.
  private static let longestWord = 32
  /// Bounds the memory that a long text takes.
  private static let mostWords = 1 << 16

  init(model: any PieceModel) { self.model = model }

  /// Appends the tokens of a word.
  mutating func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Token]) throws {
    guard word.count <= Self.longestWord, words.count < Self.mostWords else {
      if let index = words.index(of: word) { return ids.append(contentsOf: known[places[index]]) }
      return try model.encode(word, with: &merger, into: &ids)
    }
    let (index, isNew) = words.insert(word)
    if isNew {
      let start = known.count
      try model.encode(word, with: &merger, into: &known)
      places.append(start..<known.count)
    }
    ids.append(contentsOf: known[places[index]])
  }
}
