/// Why a prompt that a target wrote isn't used.
package enum PromptFlaw: String, Error, CaseIterable, Sendable {
  /// Its turn didn't end within the tokens that it may have.
  case unfinished
  /// It ends in a loop, or most of it is repeated.
  case loop
  /// It holds special tokens or what is no text.
  case damaged
  /// It has fewer than four tokens, or no letters.
  case short
  /// As a chat it has more tokens than a prompt may have.
  case long
  /// Too many of its letters are of writing systems that are rare among the prompts.
  case alphabet
  /// A prompt that is kept says much the same.
  case duplicate
  /// It comes near a prompt that is to be left out.
  case excluded

  /// For people: "7 are …".
  package var description: String {
    switch self {
    case .unfinished: "unfinished"
    case .loop: "loops"
    case .damaged: "damaged"
    case .short: "too short"
    case .long: "too long"
    case .alphabet: "of other alphabets"
    case .duplicate: "duplicates"
    case .excluded: "near excluded ones"
    }
  }
}

/// What became of the prompts that a target wrote.
package struct PromptCounts: Sendable, Equatable, Codable {
  package private(set) var written = 0
  package private(set) var kept = 0
  /// The others by why they were dropped; no reason without a prompt.
  package private(set) var dropped: [String: Int] = [:]

  package init() {}

  mutating func add(_ flaw: PromptFlaw?) {
    written += 1
    if let flaw { dropped[flaw.rawValue, default: 0] += 1 } else { kept += 1 }
  }

  /// The counts by name, as a manifest has them.
  var named: [String: Int] {
    var named = ["written": written, "kept": kept]
    for (flaw, count) in dropped { named["dropped: \(flaw)"] = count }
    return named
  }

  /// The number that were dropped for a reason.
  package subscript(_ flaw: PromptFlaw) -> Int { dropped[flaw.rawValue] ?? 0 }
}
