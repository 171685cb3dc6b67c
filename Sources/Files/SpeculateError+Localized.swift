public import Foundation

extension SpeculateError: LocalizedError {
  /// The message, which `localizedDescription` gives too.
  public var errorDescription: String? { description }
}
