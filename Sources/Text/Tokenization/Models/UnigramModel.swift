import Files

/// A vocabulary of pieces with log probabilities: a word becomes the pieces whose sum is largest.
///
/// The search is Viterbi's, in the order and precision of huggingface/tokenizers (`Unigram`,
/// `encode_optimized`), which follows SentencePiece's.
struct UnigramModel: PieceModel {
  /// A character outside the vocabulary costs so much more than the least likely piece.
  private static let unknownPenalty = 10.0

  /// The pieces by their bytes. Of equal ones the last counts.
  private let trie: ByteTrie
  /// [token] the piece of each, without gaps.
  private let pieces: [[UInt8]]
  /// [token] log probabilities.
  private let scores: [Double]
  private let unknownToken: Token?
  private let unknownScore: Double
  /// [256] the tokens of bytes, if characters outside the vocabulary are spelled by them.
  private let byteTokens: [Token]?
  private let name: String

  /// Puts a model together.
  ///
  /// - Parameters:
  ///   - pieces: The spelling of each token, and its log probability.
  ///   - name: What error messages begin with.
  init(
    pieces: [(spelling: [UInt8], score: Double)], unknownToken: Token?, fallsBackToBytes: Bool,
    name: String
  ) {
    self.name = name
    self.unknownToken = unknownToken
    self.pieces = pieces.map(\.spelling)
    scores = pieces.map(\.score)
    unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    var trie = ByteTrie(byteCount: self.pieces.reduce(0) { $0 + $1.count })
    for (token, piece) in self.pieces.enumerated() { trie.insert(piece, Token(token)) }
    let finished = trie
    self.trie = finished
    let bytes = (0..<256).map { finished.token(of: BytePiece.spelling(of: UInt8($0))) ?? -1 }
    byteTokens = fallsBackToBytes ? bytes : nil
  }

  var isByteLevel: Bool { false }
  var vocabularySize: Int { pieces.count }

  func bytes(of token: Token) -> ArraySlice<UInt8> {
    pieces.indices.contains(Int(token)) ? pieces[Int(token)][...] : []
  }

  func spelling(of token: Token) -> String? {
    pieces.indices.contains(Int(token)) ? String(decoding: pieces[Int(token)], as: UTF8.self) : nil
  }

  func token(ofSpelling spelling: String) -> Token? { trie.token(of: Array(spelling.utf8)) }

  /// The best way to some place in a word.
  private struct Path {
    /// The last piece, -1 while no way is known.
    var token: Token = -1
    /// Where the last piece begins.
    var start = 0
    var score = 0.0
  }

  func encode(
    _ word: UnsafeBufferPointer<UInt8>, with _: inout BytePairMerger, into ids: inout [Token]
  ) throws {
    // [word.count + 1] the best way to each place.
    var paths = [Path](repeating: Path(), count: word.count + 1)
    var start = 0
    while start < word.count {
      let length = UTF8Scalars.length(word[start])
      var coversOne = false
      let before = paths[start].score
      func propose(_ token: Token, to end: Int, _ score: Double) {
        guard paths[end].token < 0 || score > paths[end].score else { return }
        paths[end] = Path(token: token, start: start, score: score)
      }
      trie.forEachPrefix(of: word, from: start) { token, end in
        propose(token, to: end, scores[Int(token)] + before)
        if end - start == length { coversOne = true }
      }
      if !coversOne {
        guard let unknownToken else {
          let scalar = String(decoding: word[start..<start + length], as: UTF8.self)
          throw SpeculateError(
            "\(name): the vocabulary has no piece for \(quoted(scalar)) and no 'unk_id'")
        }
        propose(unknownToken, to: start + length, unknownScore + before)
      }
      start += length
    }
    var steps: [(token: Token, range: Range<Int>)] = []
    var end = word.count
    while end > 0 {
      let path = paths[end]
      // Neighbouring unknown characters are one.
      if path.token == unknownToken, let last = steps.last, last.token == path.token {
        steps[steps.count - 1].range = path.start..<last.range.upperBound
      } else {
        steps.append((path.token, path.start..<end))
      }
      end = path.start
    }
    for step in steps.reversed() {
      let text = UnsafeBufferPointer(rebasing: word[step.range])
      if step.token != unknownToken {
        ids.append(step.token)
      } else if let token = trie.token(of: text) {
        ids.append(token)
      } else if let byteTokens, text.allSatisfy({ byteTokens[Int($0)] >= 0 }) {
        for byte in text { ids.append(byteTokens[Int(byte)]) }
      } else {
        ids.append(step.token)
      }
    }
  }
}

/// Byte strings and their tokens, found from the beginning of a text.
private struct ByteTrie: Sendable {
  /// The edges, as merges of a node and a byte to the node behind, whose rank has no meaning.
  private var edges: MergeTable
  /// [nodes] the token that ends at each, -1 for none. Node 0 is the root.
  private var tokens: [Token] = [-1]

  /// Makes an empty trie with room for strings of so many bytes together.
  init(byteCount: Int) { edges = MergeTable(capacity: byteCount) }

  mutating func insert(_ string: [UInt8], _ token: Token) {
    guard !string.isEmpty else { return }
    var node: Token = 0
    for byte in string {
      if let edge = edges[node, Token(byte)] {
        node = edge.token
      } else {
        let next = Token(tokens.count)
        edges[node, Token(byte)] = .init(rank: 0, token: next)
        tokens.append(-1)
        node = next
      }
    }
    tokens[Int(node)] = token
  }

  func token(of string: some Sequence<UInt8>) -> Token? {
    var node: Token = 0
    for byte in string {
      guard let edge = edges[node, Token(byte)] else { return nil }
      node = edge.token
    }
    return tokens[Int(node)] >= 0 ? tokens[Int(node)] : nil
  }

  /// Calls `body` with each string that the text has at an index, shortest first, and where it ends.
  func forEachPrefix(
    of text: UnsafeBufferPointer<UInt8>, from start: Int, _ body: (Token, _ end: Int) -> Void
  ) {
    var node: Token = 0
    var index = start
    while index < text.count, let edge = edges[node, Token(text[index])] {
      node = edge.token
      index += 1
      if tokens[Int(node)] >= 0 { body(tokens[Int(node)], index) }
    }
  }
}
