import Files

/// Cuts a body of server-sent events into the data of its events.
package struct EventReader {
  private var rest: [UInt8] = []

  package init() {}

  /// The data of the events that a piece completes.
  package mutating func append(_ piece: [UInt8]) -> [String] {
    rest += piece
    var events: [String] = []
    var start = 0
    var end = 0
    while end + 1 < rest.count {
      guard rest[end] == 0x0A, rest[end + 1] == 0x0A else {
        end += 1
        continue
      }
      let event = rest[start..<end]
      if event.starts(with: Self.data) {
        events.append(String(decoding: event.dropFirst(Self.data.count), as: UTF8.self))
      }
      end += 2
      start = end
    }
    rest.removeFirst(start)
    return events
  }

  private static let data = Array("data: ".utf8)
}
