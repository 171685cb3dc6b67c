package import Foundation

/// A JSON object of settings read key by key, with errors that name the file and the key.
///
/// `null` counts as absent, as it does for the Python classes these files come from; `has` tells the
/// two apart where it matters.
package struct ConfigurationFile: Sendable {
  /// Where the settings come from, for messages.
  package let url: URL
  /// The members of the object.
  package let members: [String: JSONValue]
  private let prefix: String

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
  }

  private init(url: URL, members: [String: JSONValue], prefix: String) {
    self.url = url
    self.members = members
    self.prefix = prefix
  }

  /// An error about this file: its path, then the text.
  package func problem(_ text: String) -> SpeculateError { SpeculateError("\(url.path): \(text)") }

  /// The name of a key for messages, with the names of the sections it lies in.
  package func name(of key: String) -> String { prefix + key }

  /// Whether the key is there, be it with `null`.
  package func has(_ key: String) -> Bool { members[key] != nil }

  /// The value of a key, nil if it is absent or `null`.
  package func value(_ key: String) -> JSONValue? {
    let value = members[key]
    return value == .null ? nil : value
  }

  /// An integer, nil if absent.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func integer(_ key: String) throws -> Int? {
    guard let value = value(key) else { return nil }
    guard let integer = value.integer else {
      throw problem("\(name(of: key)) is not an integer; correct it")
    }
    return integer
  }

  /// An integer that has to be there.
  ///
  /// - Throws: `SpeculateError` if it is absent or something else.
  package func requiredInteger(_ key: String) throws -> Int {
    guard let integer = try integer(key) else {
      throw problem("\(name(of: key)) is missing; add it or download the file again")
    }
    return integer
  }

  /// A number, nil if absent.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func number(_ key: String) throws -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.number else {
      throw problem("\(name(of: key)) is not a number; correct it")
    }
    return number
  }

  /// A truth value, nil if absent.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func bool(_ key: String) throws -> Bool? {
    guard let value = value(key) else { return nil }
    guard let bool = value.bool else {
      throw problem("\(name(of: key)) is not true or false; correct it")
    }
    return bool
  }

  /// A string, nil if absent.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func text(_ key: String) throws -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.text else {
      throw problem("\(name(of: key)) is not a string; correct it")
    }
    return text
  }

  /// An array of integers, nil if absent; a single integer counts as an array of one.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func integers(_ key: String) throws -> [Int]? {
    guard let value = value(key) else { return nil }
    if let integer = value.integer { return [integer] }
    let integers = value.elements?.compactMap(\.integer)
    guard let integers, integers.count == value.elements?.count else {
      throw problem("\(name(of: key)) is not an integer or a list of integers; correct it")
    }
    return integers
  }

  /// An array of strings, nil if absent.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func texts(_ key: String) throws -> [String]? {
    guard let value = value(key) else { return nil }
    let texts = value.elements?.compactMap(\.text)
    guard let texts, texts.count == value.elements?.count else {
      throw problem("\(name(of: key)) is not a list of strings; correct it")
    }
    return texts
  }

  /// An object inside this one, nil if absent.
  ///
  /// - Throws: `SpeculateError` if the value is something else.
  package func section(_ key: String) throws -> ConfigurationFile? {
    guard let value = value(key) else { return nil }
    guard let members = value.members else {
      throw problem("\(name(of: key)) is not an object; correct it")
    }
    return ConfigurationFile(url: url, members: members, prefix: "\(name(of: key)).")
  }
}
