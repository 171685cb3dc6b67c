import Files
package import Foundation
import Text

/// Prompts that no other may come near: it has none of their runs of thirteen words, which are what
/// evaluations are kept out of training data by since GPT-3 (arXiv 2005.14165), and no shorter prompt as a
/// whole. One of fewer than six words it may have in it, but not be.
///
/// Case and punctuation count for nothing.
package struct ExcludedPrompts: Sendable {
  private static let (length, shortest) = (13, 6)

  private var count = 0
  private var grams: [Int: Set<UInt64>] = [:]  // by the number of words
  /// What tells these prompts from others.
  let fingerprint: UInt64

  /// Reads files as prompts are read from them, but every message of a chat.
  package init(_ files: [URL]) throws {
    fingerprint = try files.reduce(0) { try $0 &* 31 &+ FileFingerprint.of($1) }
    for url in files {
      let documents = try TextDocuments(url)
      let before = count
      while let document = try documents.next() {
        switch document {
        case .text(let text), .prompt(let text): add(text)
        case .chat(let conversation): for text in conversation.texts { add(text) }
        }
      }
      guard count > before else {
        throw SpeculateError("\(url.path) holds no words: give a file with prompts")
      }
    }
  }

  private mutating func add(_ text: String) {
    let words = Self.words(text)
    guard !words.isEmpty else { return }
    count += 1
    let length = min(Self.length, words.count)
    grams[length, default: []].formUnion(Self.hashes(words, length))
  }

  /// Whether a text has such words.
  package func isNear(_ text: String) -> Bool {
    let words = Self.words(text)
    return grams.contains { length, own in
      (length < Self.shortest ? length == words.count : length <= words.count)
        && Self.hashes(words, length).contains(where: own.contains)
    }
  }

  private static func words(_ text: String) -> [UInt64] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map { FNV1a(String($0)).value }
  }

  private static func hashes(_ words: [UInt64], _ length: Int) -> [UInt64] {
    (0...words.count - length).map { start in
      var hash = FNV1a()
      for word in words[start..<start + length] {
        hash.add(word: word)
        hash.fold(by: 29)
      }
      return hash.value
    }
  }
}
