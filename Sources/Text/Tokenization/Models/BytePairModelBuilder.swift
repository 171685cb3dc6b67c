import Files

/// Collects the vocabulary and then the merges of a byte-pair model, checking each.
struct BytePairModelBuilder {
  private let name: String
  private let isByteLevel: Bool
  private var pieces: ByteStringTable
  private var tokens: [Token] = []
  private var merges: [(left: Token, right: Token, merged: Token)] = []
  /// Pieces of a byte-level vocabulary that are not spelled in its alphabet: nothing is merged to
  /// them, but a model may say them.
  private var foreign: [Token: [UInt8]] = [:]

  var mergeCount: Int { merges.count }

  /// Reads a vocabulary: an object of tokens by spelling.
  init(vocabulary: JSONNode, isByteLevel: Bool) throws {
    name = vocabulary.text.name
    self.isByteLevel = isByteLevel
    pieces = ByteStringTable(minimumCapacity: 1 << 12)
    guard vocabulary.isObject else {
      throw vocabulary.error("the vocabulary is not an object of numbers by piece")
    }
    var used: Set<Int> = []
    try vocabulary.forEachMember { key, value in
      let spelling = key.stringBytes ?? []
      guard let number = value.integer, let token = BytePairModelJSON.token(number) else {
        throw value.error("the piece \(quoted(Self.text(spelling))) has no usable number")
      }
      guard used.insert(number).inserted else {
        throw value.error("two pieces have the number \(number)")
      }
      guard let piece = self.piece(spelling) else {
        foreign[token] = Array(spelling)
        return
      }
      guard piece.withUnsafeBufferPointer({ pieces.insert($0) }).isNew else {
        throw value.error("the piece \(quoted(Self.text(spelling))) is there twice")
      }
      tokens.append(token)
    }
    guard !tokens.isEmpty else { throw vocabulary.error("the vocabulary is empty") }
    // Tables have a place for every number, so a number says how much memory they take.
    if let last = used.max(), last > 8 * used.count + 1 << 16 {
      throw vocabulary.error("a piece has the number \(last), but there are \(used.count) pieces")
    }
  }

  /// Takes a vocabulary: the spellings of the tokens in order, nil where a number has none.
  ///
  /// - Parameter name: What error messages call it.
  init(pieces spellings: [String?], name: String, isByteLevel: Bool) throws {
    self.name = name
    self.isByteLevel = isByteLevel
    pieces = ByteStringTable(minimumCapacity: spellings.count)
    for (number, spelling) in spellings.enumerated() {
      guard let spelling else { continue }
      guard let token = BytePairModelJSON.token(number) else {
        throw SpeculateError("\(name): there are more pieces than any vocabulary has")
      }
      let bytes = Array(spelling.utf8)
      guard let piece = self.piece(bytes[...]) else {
        foreign[token] = bytes
        continue
      }
      guard piece.withUnsafeBufferPointer({ pieces.insert($0) }).isNew else {
        throw SpeculateError("\(name): the piece \(quoted(spelling)) is there twice")
      }
      tokens.append(token)
    }
    guard !tokens.isEmpty else { throw SpeculateError("\(name): the vocabulary is empty") }
  }

  private static func text(_ spelling: some Collection<UInt8>) -> String {
    String(decoding: spelling, as: UTF8.self)
  }

  /// A piece as the model keeps it, `nil` when a byte-level one is not spelled in the alphabet.
  private func piece(_ spelling: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    isByteLevel ? ByteAlphabet.bytes(ofSpelling: spelling)?[...] : spelling
  }

  /// Adds a merge written as its two sides with one space between them.
  mutating func addMerge(line: ArraySlice<UInt8>) throws {
    let sides = line.split(
      separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
    guard sides.count == 2 else {
      throw SpeculateError("\(name): merge \(mergeCount), \(quoted(Self.text(line))), is not 'a b'")
    }
    try addMerge(sides[0], sides[1])
  }

  mutating func addMerge(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) throws {
    guard let leftPiece = piece(left), let rightPiece = piece(right),
      let leftIndex = pieces.index(of: leftPiece), let rightIndex = pieces.index(of: rightPiece),
      let merged = pieces.index(of: leftPiece + rightPiece)
    else {
      throw SpeculateError(
        "\(name): merge \(mergeCount), \(quoted(Self.text(left))) with \(quoted(Self.text(right))), "
          + "names a piece that is not in the vocabulary")
    }
    merges.append((tokens[leftIndex], tokens[rightIndex], tokens[merged]))
  }

  /// The finished model; `unknown` is the spelling of the token for what cannot be spelled.
  func model(
    byteFallback: Bool = false, unknown: String? = nil, fusesUnknown: Bool = false,
    ignoresMerges: Bool = false
  ) throws -> BytePairModel {
    var unknownToken: Token?
    if let unknown {
      let piece = self.piece(Array(unknown.utf8)[...]).flatMap { pieces.index(of: $0) }
      guard let piece else {
        throw SpeculateError("\(name): the unk_token \(quoted(unknown)) is not in the vocabulary")
      }
      unknownToken = tokens[piece]
    }
    var table = MergeTable(capacity: merges.count)
    for (rank, merge) in merges.enumerated() {
      table[merge.left, merge.right] = .init(rank: UInt32(rank), token: merge.merged)
    }
    return BytePairModel(
      symbols: isByteLevel ? .bytes : .scalars(byteFallback: byteFallback), pieces: pieces,
      tokens: tokens, foreign: foreign, merges: table, unknownToken: unknownToken,
      fusesUnknown: fusesUnknown, ignoresMerges: ignoresMerges)
  }
}
