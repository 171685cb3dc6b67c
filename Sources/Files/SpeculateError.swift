import Foundation
import Glibc

/// A user's mistake or a damaged file, told in one line that says what is wrong and what to do.
///
/// Every error that reaches the command line is of this type; its text is the whole message.
public struct SpeculateError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The message: one line, no trailing full stop needed.
  public var description: String

  /// Makes an error from its one-line message.
  public init(_ message: String) { description = message }
}

/// Why the system refused, in a few words: `No space left on device`.
///
/// Foundation's own text is two sentences, of which the first says nothing.
package func systemReason(_ error: any Error) -> String {
  let outer = error as NSError
  // Either a `POSIXError` or an `NSError`.
  let cause = (outer.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? outer
  return cause.domain == NSPOSIXErrorDomain
    ? String(cString: strerror(Int32(cause.code))) : outer.localizedDescription
}

/// The system's words for the last failed call.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// What can't be thrown: lines for the person at the terminal.
package enum StandardError {
  package static func write(_ line: String) {
    _ = "\(line)\n".withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
  }
}
