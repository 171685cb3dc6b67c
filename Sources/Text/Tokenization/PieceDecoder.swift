import Files

/// What pieces add to a text: the `decoder` of a tokenizer.json, as far as it looks at one piece.
struct PieceDecoder: Sendable {
  enum Step: Sendable {
    /// Characters of the alphabet of bytes are the bytes that they spell.
    case byteAlphabet
    /// Replaces a string that is not empty.
    case replace([UInt8], with: [UInt8])
    /// `<0xNN>` is a byte.
    case bytePieces
    /// Removes a character from both ends, at most so often.
    case strip([UInt8], start: Int, stop: Int)
  }

  var steps: [Step] = []
  /// What becomes of spaces at the beginning of a whole text.
  var leadingSpaceRule = LeadingSpaceRule.keep

  /// The bytes that a piece adds to a text.
  func bytes(of piece: some Collection<UInt8>) -> [UInt8] {
    var bytes = Array(piece)
    for step in steps {
      switch step {
      case .byteAlphabet: bytes = ByteAlphabet.bytes(ofSpelling: bytes) ?? bytes
      case .replace(let old, let new):
        guard bytes.contains(old[0]) else { continue }
        var result: [UInt8] = []
        bytes.withUnsafeBufferPointer {
          TextNormalizer.replacing(old, with: new, in: $0, into: &result)
        }
        bytes = result
      case .bytePieces:
        // Nothing behind looks at what is a byte now.
        if let byte = BytePiece.byte(of: bytes) { return [byte] }
      case .strip(let text, let start, let stop):
        var rest = bytes[...]
        for _ in 0..<start where rest.starts(with: text) { rest = rest.dropFirst(text.count) }
        for _ in 0..<stop where rest.suffix(text.count).elementsEqual(text) {
          rest = rest.dropLast(text.count)
        }
        bytes = Array(rest)
      }
    }
    return bytes
  }

  /// Spaces written as "▁".
  static let sentencePieceSpaces = PieceDecoder(
    steps: [.replace(PreTokenizer.metaspace, with: [UInt8(ascii: " ")])])
  /// The same, and bytes as `<0xNN>`.
  static let sentencePiece = PieceDecoder(steps: sentencePieceSpaces.steps + [.bytePieces])
}

extension PieceDecoder {
  /// Reads the `decoder` of a tokenizer.json.
  ///
  /// - Throws: `SpeculateError` naming a decoder that looks at more than a piece and the beginning.
  init(_ node: JSONNode) throws {
    let space = [UInt8(ascii: " ")]
    /// Whether what follows sees the whole text as one piece.
    var isFused = false
    for (node, type, fields) in try node.sequence("decoders", kind: "decoder") {
      let settings = JSONSettings(node, fields, of: "decoder '\(type)'")
      guard !isFused || ["Fuse", "Replace", "Strip"].contains(type) else {
        throw node.error("the decoder \(quoted(type)) behind 'Fuse' is not supported")
      }
      switch type {
      case "ByteLevel": steps.append(.byteAlphabet)
      case "ByteFallback": steps.append(.bytePieces)
      case "Fuse": isFused = true
      case "Metaspace":
        let (text, prefix) = try PreTokenizerJSON.metaspace(settings)
        steps.append(.replace(text, with: space))
        if prefix != .never { leadingSpaceRule = .dropAllOfFirstPiece }
      case "Replace":
        guard case .string(let old) = try settings.pattern(),
          let new = fields["content"]?.stringBytes
        else { throw node.error("a decoder 'Replace' of anything but a string is not supported") }
        // Of one character, it is the same piece by piece.
        guard !isFused || old.count == UTF8Scalars.length(old[0]) else {
          throw node.error(
            "a decoder 'Replace' of several characters behind 'Fuse' is not supported")
        }
        steps.append(.replace(old, with: Array(new)))
      case "Strip":
        let text = try settings.text("content")
        let start = try settings.integer("start") ?? 0
        let stop = try settings.integer("stop") ?? 0
        guard text.count == UTF8Scalars.length(text[0]), (0...1 << 16).contains(start),
          (0...1 << 16).contains(stop)
        else { throw node.error("the decoder 'Strip' has no usable 'content', 'start' or 'stop'") }
        guard isFused else {
          steps.append(.strip(text, start: start, stop: stop))
          continue
        }
        guard text == space, stop == 0, start <= 1 else {
          throw node.error(
            "a decoder 'Strip' behind 'Fuse' other than of one ' ' at the start is not supported")
        }
        if start == 1 { leadingSpaceRule = .dropOne }
      default: throw node.error("the decoder \(quoted(type)) is not supported")
      }
    }
  }
}
