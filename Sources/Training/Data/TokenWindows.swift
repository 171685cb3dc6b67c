import Files

/// The windows of one step: inputs and, one token on, their targets.
final class TokenWindows: @unchecked Sendable {
  // Unchecked: filled between passes, only read during them.
  private let length: Int
  private let offset: Int  // of the targets
  private let base: UnsafeMutablePointer<Token>  // inputs [count][length], targets [count][length]

  init(count: Int, length: Int) {
    self.length = length
    base = .allocate(capacity: 2 * count * length)
    base.initialize(repeating: 0, count: 2 * count * length)
    offset = count * length
  }

  deinit { base.deallocate() }

  func fill(_ index: Int, from stream: TokenStream, start: Int) {
    stream.copy(start, count: length, to: base + index * length)
    stream.copy(start + 1, count: length, to: base + offset + index * length)
  }

  func inputs(_ index: Int) -> UnsafePointer<Token> { UnsafePointer(base + index * length) }

  func targets(_ index: Int) -> UnsafePointer<Token> {
    UnsafePointer(base + offset + index * length)
  }
}
