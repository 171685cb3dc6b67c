package import Files
package import Foundation

package struct Trace: Sendable, Equatable {
  package var header: TraceHeader
  package var texts: [Token: String]
  /// What was measured.
  package var units: [TraceUnit]

  package init(header: TraceHeader, texts: [Token: String] = [:], units: [TraceUnit] = []) {
    self.header = header
    self.texts = texts
    self.units = units
  }

  /// Reads a whole trace.
  ///
  /// - Parameter salvaging: whether an incomplete end is dropped, as a run that was killed leaves it.
  /// - Throws: `SpeculateError` naming file and line when it is no trace, of a newer version, or
  ///   damaged.
  package static func read(_ url: URL, salvaging: Bool = false) throws -> Trace {
    var reader = try TraceReader(url: url, salvaging: salvaging)
    return try reader.read()
  }
}
