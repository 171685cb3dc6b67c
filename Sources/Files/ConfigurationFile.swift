package import Foundation

/// A JSON object of settings read key by key, with errors that name the file and the key.
///
/// `null` counts as absent, as it does for the Python classes these files come from; `has` tells the
/// two apart where it matters.
package struct ConfigurationFile: Sendable {
  /// Where the settings come from, for messages.
  package let url: URL
  package let members: [String: JSONValue]
  private let prefix: String
  /// What this file calls keys, by the names that they are asked for.
  private let spellings: [String: String]

  /// Reads a file.
  ///
  /// - Throws: `SpeculateError` if it is missing, not valid JSON, has a key twice or is no object.
  package init(url: URL) throws {
    let file = try MappedFile(url: url)
    let document: JSONValue
    do {
      document = try JSONValue(parsing: file.bytes)
    } catch {
      throw SpeculateError("\(url.path): \(error); correct the file or download it again")
    }
    guard let members = document.members else {
      throw SpeculateError("\(url.path): is not a JSON object; correct or download it again")
    }
    self.url = url
    self.members = members
    prefix = ""
    spellings = [:]
  }

  private init(
    url: URL, members: [String: JSONValue], prefix: String, spellings: [String: String] = [:]
  ) {
    self.url = url
    self.members = members
    self.prefix = prefix
    self.spellings = spellings
  }

  /// The settings of a section, and of the file what the section doesn't say; nil if there is no section.
  package func part(_ key: String) throws -> ConfigurationFile? {
    try section(key).map { section in
      ConfigurationFile(
        url: url, members: members.merging(section.members) { $1 }, prefix: prefix)
    }
  }

  /// The same settings, of which some are called something else here: `[asked for: its name here]`.
  ///
  /// A file that has the usual name alone is understood too.
  package func calling(_ spellings: [String: String]) -> ConfigurationFile {
    ConfigurationFile(url: url, members: members, prefix: prefix, spellings: spellings)
  }

  /// An error about this file: its path, then the text.
  package func problem(_ text: String) -> SpeculateError { SpeculateError("\(url.path): \(text)") }

  /// The name of a key for messages, with the names of the sections it lies in.
  package func name(of key: String) -> String { prefix + spelling(key) }

  /// The name of a key in this file.
  private func spelling(_ key: String) -> String {
    guard let own = spellings[key], members[own] != nil || members[key] == nil else { return key }
    return own
  }

  /// Whether the key is there, be it with `null`.
  package func has(_ key: String) -> Bool { members[spelling(key)] != nil }

  /// The value of a key, nil if it is absent or `null`.
  package func value(_ key: String) -> JSONValue? {
    let value = members[spelling(key)]
    return value == .null ? nil : value
  }

  // MARK: Values of a type, nil if absent; another type is an error

  package func integer(_ key: String) throws -> Int? { try typed(key, "an integer", \.integer) }

  /// An integer that has to be there.
  package func requiredInteger(_ key: String) throws -> Int {
    guard let integer = try integer(key) else {
      throw problem("\(name(of: key)) is missing; add it or download the file again")
    }
    return integer
  }

  package func number(_ key: String) throws -> Double? { try typed(key, "a number", \.number) }

  package func bool(_ key: String) throws -> Bool? { try typed(key, "true or false", \.bool) }

  package func text(_ key: String) throws -> String? { try typed(key, "a string", \.text) }

  /// An array of integers; a single integer counts as an array of one.
  package func integers(_ key: String) throws -> [Int]? {
    try typed(key, "an integer or a list of integers") { value in
      value.integer.map { [$0] } ?? value.elements(\.integer)
    }
  }

  package func numbers(_ key: String) throws -> [Double]? {
    try typed(key, "a list of numbers") { $0.elements(\.number) }
  }

  package func texts(_ key: String) throws -> [String]? {
    try typed(key, "a list of strings") { $0.elements(\.text) }
  }

  /// An object inside this one.
  package func section(_ key: String) throws -> ConfigurationFile? {
    try typed(key, "an object", \.members).map {
      ConfigurationFile(url: url, members: $0, prefix: "\(name(of: key)).")
    }
  }

  private func typed<T>(_ key: String, _ kind: String, _ read: (JSONValue) -> T?) throws -> T? {
    guard let value = value(key) else { return nil }
    guard let result = read(value) else {
      throw problem("\(name(of: key)) is not \(kind); correct it")
    }
    return result
  }
}

extension JSONValue {
  /// The elements of an array, if all are of one kind.
  fileprivate func elements<T>(_ read: (JSONValue) -> T?) -> [T]? {
    let values = elements?.compactMap(read)
    return values?.count == elements?.count ? values : nil
  }
}
