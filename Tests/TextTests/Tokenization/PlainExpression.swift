import CPCRE2
import Foundation

/// A PCRE2 pattern over Unicode text, the oracle of the hand-written scanners.
final class PlainExpression {
  private let code: OpaquePointer
  private let match: OpaquePointer

  /// Compiles a pattern; `nil` when PCRE2 refuses it.
  init?(_ pattern: String) {
    var (error, offset) = (Int32(0), 0)
    let compiled = Array(pattern.utf8).withUnsafeBufferPointer {
      pcre2_compile_8(
        $0.baseAddress, $0.count, UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP), &error, &offset, nil)
    }
    guard let compiled, let match = pcre2_match_data_create_from_pattern_8(compiled, nil) else {
      return nil
    }
    pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))
    code = compiled
    self.match = match
  }

  deinit {
    pcre2_match_data_free_8(match)
    pcre2_code_free_8(code)
  }

  /// The consecutive matches in a text, as byte ranges; `nil` when they do not cover it.
  func words(of text: [UInt8]) -> [Range<Int>]? {
    var words: [Range<Int>] = []
    var start = 0
    while start < text.count {
      guard let end = end(ofMatchIn: text, at: start), end > start else { return nil }
      words.append(start..<end)
      start = end
    }
    return words
  }

  /// The end of the match that begins at an index.
  func end(ofMatchIn text: [UInt8], at start: Int) -> Int? {
    let options = UInt32(PCRE2_ANCHORED) | UInt32(PCRE2_NO_UTF_CHECK)
    let count = text.withUnsafeBufferPointer {
      pcre2_match_8(code, $0.baseAddress, $0.count, start, options, match, nil)
    }
    guard count > 0, let offsets = pcre2_get_ovector_pointer_8(match) else { return nil }
    return Int(offsets[1])
  }

  /// The version of Unicode that PCRE2 knows, as (major, minor).
  static var unicodeVersion: (Int, Int) {
    var text = [CChar](repeating: 0, count: 32)
    pcre2_config_8(UInt32(PCRE2_CONFIG_UNICODE_VERSION), &text)
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    // "14.0.0", perhaps followed by a date.
    let parts = String(decoding: bytes, as: UTF8.self).split { !$0.isNumber }.compactMap { Int($0) }
    return parts.count >= 2 ? (parts[0], parts[1]) : (0, 0)
  }
}
