import Files
import Foundation
import TestSupport

/// The texts and ids by which llama.cpp tests its tokenizers: encoded without special tokens.
struct TokenizerVectors {
  let texts: [String]
  let ids: [[Token]]

  static func file(_ kind: String, _ suffix: String) -> URL {
    TestFiles.data("tokenizers/vectors/ggml-vocab-\(kind).gguf.\(suffix)")
  }

  init(_ kind: String) throws {
    let input = try String(decoding: Data(contentsOf: Self.file(kind, "inp")), as: UTF8.self)
    let output = try String(decoding: Data(contentsOf: Self.file(kind, "out")), as: UTF8.self)
    // The separator ends every text, the last one included.
    texts = input.components(separatedBy: "\n__ggml_vocab_test__\n").dropLast()
    // One line of ids for each text; the line of the empty text is empty.
    ids = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map { $0.split(separator: " ").compactMap { Token($0) } }
  }
}
