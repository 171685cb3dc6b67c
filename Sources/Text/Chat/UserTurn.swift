package import Files
package import Foundation

/// What a chat template writes around a user's message, for a model to write the message itself.
package struct UserTurn: Sendable, Equatable {
  /// The tokens in front of the message, the same whatever it says.
  package let opening: [Token]
  /// What ends the message.
  package let end: End

  package init(opening: [Token], end: End) {
    self.opening = opening
    self.end = end
  }

  package enum End: Sendable, Equatable {
    /// A special token.
    case token(Token)
    /// Plain text, as Llama 2's `[/INST]`.
    case text(String)
    /// Nothing but the end of the whole text.
    case nothing
  }
}

extension ChatEncoder {
  /// The user's turn at the beginning of a conversation.
  ///
  /// The template is asked, not read: it writes conversations that differ in the message alone. What their
  /// tokens begin with is the opening, so that no token of it depends on how the message begins, and what
  /// stands behind a mark in the place of the message ends it.
  ///
  /// - Parameters:
  ///   - system: What stands in front of it; nil for what the template writes by itself.
  ///   - now: The time, for templates that write the date.
  /// - Throws: `SpeculateError` where there is no usable template, and where it doesn't write the
  ///   message once, as it is and behind something else.
  package func userTurn(system: String? = nil, now: Date) throws -> UserTurn {
    let mark = "UserMessageStandsHere"
    let name = try templateName()
    let text = try encode(Conversation(system: system, user: mark), now: now).text
    let parts = PythonText.parts(text, between: mark)
    guard parts.count == 2 else {
      throw SpeculateError(
        "\(name): the template writes the user's message \(parts.count - 1) times, and a target can "
          + "write it only where it stands once: give ‘data’ instead")
    }
    // They differ in the first character, and so in the first token.
    let samples = try ["How", "Write", "a", "7"].map {
      try encode(Conversation(system: system, user: $0), now: now).ids
    }
    let common = (0..<(samples.map(\.count).min() ?? 0)).prefix { place in
      samples.allSatisfy { $0[place] == samples[0][place] }
    }
    guard !common.isEmpty else {
      throw SpeculateError(
        "\(name): the template writes nothing in front of the user's message, and a target can't "
          + "know that it is to write one: give ‘data’ instead")
    }
    return UserTurn(
      opening: Array(samples[0][..<common.count]), end: try end(before: parts[1]))
  }

  /// What a text behind the user's message begins with.
  private func end(before text: String) throws -> UserTurn.End {
    let ids = try tokenizer.encode(text, addSpecial: false, parseSpecial: true)
    let plain = tokenizer.decode(Array(ids.prefix { !tokenizer.isSpecial($0) }), skipSpecial: true)
    let words = plain.trimmingCharacters(in: .whitespacesAndNewlines)
    if !words.isEmpty { return .text(words) }
    return ids.first(where: tokenizer.isSpecial).map { .token($0) } ?? .nothing
  }
}
