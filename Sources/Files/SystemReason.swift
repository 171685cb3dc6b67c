import Foundation

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
