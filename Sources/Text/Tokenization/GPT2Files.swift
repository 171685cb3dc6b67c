import Files
import Foundation

/// Reads GPT-2's own pair of files, `vocab.json` and `merges.txt`.
enum GPT2Files {
  /// Its one special token, with which texts begin and end.
  private static let endOfText = "<|endoftext|>"

  static func load(
    vocabulary: URL, merges: URL, _ configuration: TokenizerConfiguration
  ) throws -> PieceTokenizer {
    if let name = configuration.className, !["GPT2Tokenizer", "GPT2TokenizerFast"].contains(name) {
      throw SpeculateError(
        "\(vocabulary.path): a \(name) is not supported from vocab.json and merges.txt; "
          + "copy the checkpoint's tokenizer.json there")
    }
    let pieces = try JSONText(TokenizerFiles.read(vocabulary), name: vocabulary.path).root
    var builder = try BytePairModelBuilder(vocabulary: pieces, isByteLevel: true)
    let text = try Array(TokenizerFiles.read(merges))
    let lines = text.dropFirst(byteOrderMarkCount(text)).split(separator: UInt8(ascii: "\n"))
    for (number, line) in lines.enumerated() {
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      if line.isEmpty || (number == 0 && line.starts(with: "#version".utf8)) { continue }
      try builder.addMerge(line: line)
    }
    let model = try builder.model()
    var parts = PieceTokenizer.Parts(model: model, preTokenizer: PreTokenizer(steps: [.gpt2]))
    if let id = model.token(ofSpelling: endOfText) {
      parts.added = try AddedTokens([AddedToken(id: id, content: endOfText, special: true)])
      parts.beginToken = id
      parts.endTokens = [id]
    }
    try configuration.complete(&parts)
    return PieceTokenizer(parts)
  }
}
