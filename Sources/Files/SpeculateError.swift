public import Foundation

/// A user's mistake or a damaged file, told in one line that says what is wrong and what to do.
///
/// Every error that reaches the command line is of this type; its text is the whole message.
public struct SpeculateError: LocalizedError, Equatable, CustomStringConvertible, Sendable {
  /// The message: one line, no trailing full stop needed.
  public var description: String

  /// Makes an error from its one-line message.
  public init(_ message: String) { description = message }

  /// The message, so that `localizedDescription` is it too.
  public var errorDescription: String? { description }
}
