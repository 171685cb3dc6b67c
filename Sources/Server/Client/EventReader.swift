import Files

/// Cuts a body of server-sent events into the data of its events.
package struct EventReader {
  private var rest: [UInt8] = []

  package init() {}

  /// The data of the events that a piece completes.
  package mutating func append(_ piece: [UInt8]) -> [String] {
    rest += piece
    var events: [String] = []
    while let end = rest.firstRange(of: [0x0A, 0x0A]) {
      let text = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
      rest.removeFirst(end.upperBound)
      if text.hasPrefix("data: ") { events.append(String(text.dropFirst(6))) }
    }
    return events
  }
}
