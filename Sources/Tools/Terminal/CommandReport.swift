import ArgumentParser

/// What a command says in the end, as text and as JSON.
struct CommandReport {
  var lines: [String]
  /// What the members of the JSON object are.
  var parts: [any Encodable]

  /// Prints the report, of what Ctrl-C left of the work too.
  ///
  /// - Throws: exit code 130 after Ctrl-C.
  func show(json: Bool) throws {
    Interruption.finish()
    if json {
      try Output.json(JoinedObject(parts: parts))
    } else {
      try Output.line(lines.joined(separator: "\n"))
    }
    if Interruption.requested { throw Interruption.exitCode }
  }
}

/// Values whose members stand together in one JSON object.
struct JoinedObject: Encodable {
  let parts: [any Encodable]

  func encode(to encoder: any Encoder) throws {
    for part in parts { try part.encode(to: encoder) }
  }
}
