import Files
import Speculate

extension RoundRecord {
  /// Reads a `round` line of a trace.
  ///
  /// - Throws: `SpeculateError` naming a field that is missing or of another type.
  init(_ value: JSONValue) throws {
    let times = try value.member("us")
    func seconds(_ name: String) throws -> Double { try times.number(name) / 1e6 }
    let origin = try value["source"].map { try Self.origin($0) }
    let drafting = origin != nil
    self.init(
      position: try value.count("at"), origin: origin,
      drafted: drafting ? try value.count("drafted") : 0,
      passDrafts: value["pass"] == nil ? 0 : try value.count("pass"),
      drafts: drafting ? try value.tokens("drafts") : [],
      origins: try value["sources"].map {
        guard let names = $0.elements else { throw SpeculateError("\"sources\" is not a list") }
        return try names.map(Self.origin)
      } ?? [],
      confidences: value["q"] == nil ? [] : try value.probabilities("q"),
      parents: value["parents"] == nil ? [] : try value.integers("parents"),
      tokens: try value.tokens("tokens"), probabilities: try value.floats("p"),
      accepted: drafting ? try value.count("accepted") : 0,
      rejection: try value["rejected"].map {
        Rejection(
          probability: Float(try $0.number("p")), draft: try $0.candidates("draft"),
          target: try $0.candidates("target"))
      },
      rows: try value.count("rows"),
      seconds: Seconds(
        draft: drafting ? try seconds("draft") : 0, verify: try seconds("verify"),
        sampling: try seconds("sample"), other: try seconds("other")))
  }

  private static func origin(_ value: JSONValue) throws -> DraftOrigin {
    guard let name = value.text else { throw SpeculateError("a source is not a string") }
    guard let origin = DraftOrigin(rawValue: name) else {
      throw SpeculateError("\"source\" is \(quoted(name)), which is unknown")
    }
    return origin
  }
}

/// Members that have to be there, of one type.
extension JSONValue {
  func member(_ name: String) throws -> JSONValue {
    guard let member = self[name] else { throw SpeculateError("\(quoted(name)) is missing") }
    return member
  }

  func string(_ name: String) throws -> String {
    guard let text = try member(name).text else {
      throw SpeculateError("\(quoted(name)) is not a string")
    }
    return text
  }

  /// An integer of at least 0.
  func count(_ name: String) throws -> Int {
    guard let count = try member(name).integer, count >= 0, count <= Int(Int32.max) else {
      throw SpeculateError("\(quoted(name)) is not a count")
    }
    return count
  }

  func number(_ name: String) throws -> Double {
    guard let number = try member(name).number else {
      throw SpeculateError("\(quoted(name)) is not a number")
    }
    return number
  }

  func floats(_ name: String) throws -> [Float] {
    try list(name, "numbers") { $0.number.map(Float.init) }
  }

  /// A list of numbers, some of which may be null.
  func probabilities(_ name: String) throws -> [Float?] {
    try list(name, "numbers") { $0 == .null ? .some(nil) : $0.number.map { Float($0) } }
  }

  func integers(_ name: String) throws -> [Int] { try list(name, "integers") { $0.integer } }

  func tokens(_ name: String) throws -> [Token] {
    try list(name, "tokens") { $0.integer.flatMap { Token(exactly: $0) } }
  }

  func candidates(_ name: String) throws -> [TokenCandidate] {
    try list(name, "tokens with probabilities") {
      guard let pair = $0.elements, pair.count == 2, let id = pair[0].integer,
        let token = Token(exactly: id), let probability = pair[1].number
      else { return nil }
      return TokenCandidate(token: token, probability: Float(probability))
    }
  }

  private func list<T>(_ name: String, _ what: String, _ item: (JSONValue) -> T?) throws -> [T] {
    guard let elements = try member(name).elements else {
      throw SpeculateError("\(quoted(name)) is not a list")
    }
    return try elements.map {
      guard let item = item($0) else {
        throw SpeculateError("\(quoted(name)) is not a list of \(what)")
      }
      return item
    }
  }
}
