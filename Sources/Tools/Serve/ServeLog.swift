import Files
import Foundation
import Logging

/// Writes the server's log to standard error, as `time level message key=value …` or as JSON.
struct ServeLog: LogHandler {
  let isJSON: Bool
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  init(isJSON: Bool) { self.isJSON = isJSON }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = Date().formatted(.iso8601)
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    if isJSON {
      var members: [String: JSONValue] = [
        "time": .string(time), "level": .string(event.level.rawValue),
        "message": .string(event.message.description),
      ]
      for (key, value) in all { members[key] = Self.json("\(value)") }
      Output.note(JSONValue.object(members).line() + "\n")
      return
    }
    let fields = all.sorted { $0.key < $1.key }.map { key, value in
      let text = "\(value)"
      return " \(key)=\(text.contains { $0 == " " || $0 == "\"" } ? jsonLiteral(text) : text)"
    }
    Output.note("\(time) \(event.level) \(event.message)\(fields.joined())\n")
  }

  /// A number where a value is one.
  private static func json(_ text: String) -> JSONValue {
    if let integer = Int(text) { return .integer(integer) }
    if let number = Double(text), number.isFinite { return .number(number) }
    return .string(text)
  }
}
