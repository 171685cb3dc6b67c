import CPCRE2
import Files
import Synchronization

/// A pattern of a tokenizer's file, compiled by PCRE2.
///
/// A match that takes too many steps or too much memory is an error, so that no pattern hangs. Unchecked
/// because it holds pointers: the compiled pattern is immutable, and what a match writes to belongs to
/// one match at a time.
package final class RegularExpression: @unchecked Sendable {
  /// What matches write to.
  private struct Scratch: @unchecked Sendable {
    let match: OpaquePointer
    let context: OpaquePointer
    let stack: OpaquePointer?
  }

  /// A match may try so many things before it is given up.
  private static let stepLimit: UInt32 = 10_000_000
  /// A match may take so many KiB.
  private static let memoryLimit: UInt32 = 256 << 10
  /// Patterns may have so many bytes; published ones have a few hundred.
  private static let lengthLimit = 1 << 15

  /// As it was given.
  let pattern: String
  private let name: String
  private let code: OpaquePointer
  private let unused = Mutex<[Scratch]>([])

  /// Compiles a pattern of Oniguruma's syntax; errors begin with `name`.
  ///
  /// - Throws: `SpeculateError` when the pattern is damaged, too long or not supported.
  package init(_ pattern: String, name: String) throws {
    self.pattern = pattern
    self.name = name
    guard pattern.utf8.count <= Self.lengthLimit else {
      throw SpeculateError("\(name): the pattern \(quoted(pattern)) is too long")
    }
    let translated: [UInt8]
    do {
      translated = Array(try PatternTranslator.translated(pattern).utf8)
    } catch {
      throw SpeculateError("\(name): the pattern \(quoted(pattern)) can't be used: \(error)")
    }
    guard let context = pcre2_compile_context_create_8(nil) else {
      throw SpeculateError("\(name): there is no memory for the pattern \(quoted(pattern))")
    }
    defer { pcre2_compile_context_free_8(context) }
    pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
    let options =
      UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_MULTILINE)
      | UInt32(PCRE2_NEVER_BACKSLASH_C)
    var (error, offset) = (Int32(0), 0)
    // With a last byte, as an empty array may have no address.
    let code = (translated + [0]).withUnsafeBufferPointer {
      pcre2_compile_8($0.baseAddress, $0.count - 1, options, &error, &offset, context)
    }
    guard let code else {
      throw SpeculateError(
        "\(name): the pattern \(quoted(pattern)) can't be used: \(Self.message(error))")
    }
    self.code = code
    // Where there is no just-in-time compiler, matches are interpreted.
    pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
  }

  deinit {
    for scratch in unused.withLock({ $0 }) { Self.free(scratch) }
    pcre2_code_free_8(code)
  }

  /// Calls `body` with each match in a text, empty ones included, but none that is empty and touches
  /// the one before. An empty text has none.
  ///
  /// - Parameter text: UTF-8 that is known to be well-formed.
  /// - Throws: `SpeculateError` when a match takes too long or too much memory.
  package func forEachMatch(
    in text: UnsafeBufferPointer<UInt8>, _ body: (_ match: Range<Int>) -> Void
  ) throws {
    guard !text.isEmpty else { return }
    let scratch = try takeScratch()
    defer { unused.withLock { $0.append(scratch) } }
    var start = 0
    var lastEnd = -1
    while start <= text.count, let match = try match(in: text, from: start, scratch) {
      if match.isEmpty, match.lowerBound == lastEnd {
        start += start < text.count ? UTF8Scalars.length(text[start]) : 1
        continue
      }
      (start, lastEnd) = (match.upperBound, match.upperBound)
      body(match)
    }
  }

  private func match(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, _ scratch: Scratch
  ) throws -> Range<Int>? {
    func result(_ options: UInt32) -> Int32 {
      pcre2_match_8(
        code, text.baseAddress, text.count, start, options | UInt32(PCRE2_NO_UTF_CHECK),
        scratch.match, scratch.context)
    }
    var count = result(0)
    // The interpreter takes memory where compiled code has a stack of fixed size.
    if count == PCRE2_ERROR_JIT_STACKLIMIT { count = result(UInt32(PCRE2_NO_JIT)) }
    if count == PCRE2_ERROR_NOMATCH { return nil }
    guard count >= 0, let offsets = pcre2_get_ovector_pointer_8(scratch.match),
      offsets[0] >= start, offsets[0] <= offsets[1]
    else {
      let reason = count >= 0 ? "a match ends before it begins" : Self.message(count)
      throw SpeculateError(
        "\(name): the pattern \(quoted(pattern)) can't cut this text: \(reason)")
    }
    return offsets[0]..<offsets[1]
  }

  private func takeScratch() throws -> Scratch {
    if let scratch = unused.withLock({ $0.popLast() }) { return scratch }
    guard let match = pcre2_match_data_create_8(1, nil),
      let context = pcre2_match_context_create_8(nil)
    else { throw SpeculateError("\(name): there is no memory for a match") }
    pcre2_set_match_limit_8(context, Self.stepLimit)
    pcre2_set_heap_limit_8(context, Self.memoryLimit)
    let stack = pcre2_jit_stack_create_8(1 << 15, 1 << 20, nil)
    pcre2_jit_stack_assign_8(context, nil, stack.map { UnsafeMutableRawPointer($0) })
    return Scratch(match: match, context: context, stack: stack)
  }

  private static func free(_ scratch: Scratch) {
    pcre2_match_data_free_8(scratch.match)
    pcre2_match_context_free_8(scratch.context)
    pcre2_jit_stack_free_8(scratch.stack)
  }

  private static func message(_ error: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 256)
    let count = pcre2_get_error_message_8(error, &text, text.count)
    return String(decoding: text.prefix(max(0, Int(count))), as: UTF8.self)
  }
}
