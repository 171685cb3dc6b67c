internal import Foundation

/// The metadata of a GGUF model that says how it computes, read key by key.
///
/// Every key under the architecture's name must be asked for: one that nobody knows may change what the
/// model computes.
package struct GGUFSettings {
  package let file: GGUFFile
  /// `general.architecture`.
  package let architecture: String
  private var asked: Set<String> = []

  package init(_ file: GGUFFile) throws {
    self.file = file
    guard let architecture = file.metadata["general.architecture"]?.text else {
      throw SpeculateError(
        "\(file.url.path): the metadata key \"general.architecture\" is missing; the file is no model"
      )
    }
    self.architecture = architecture
  }

  /// An error about the file.
  package func problem(_ text: String) -> SpeculateError {
    SpeculateError("\(file.url.path): \(text)")
  }

  /// A key behind the architecture's name.
  package func name(of key: String) -> String { "\(architecture).\(key)" }

  private mutating func value(_ key: String) -> GGUFValue? {
    asked.insert(name(of: key))
    return file.metadata[name(of: key)]
  }

  /// An integer; nil if it isn't there.
  package mutating func integer(_ key: String) throws -> Int? {
    guard let value = value(key) else { return nil }
    guard let integer = value.integer else {
      throw problem("the metadata key \(quoted(name(of: key))) is not one integer")
    }
    return integer
  }

  /// Whether the model has experts.
  package var hasExperts: Bool {
    get throws {
      var settings = self
      return try settings.integer("expert_count") ?? 0 > 0
    }
  }

  /// An integer that must be there.
  package mutating func requiredInteger(_ key: String) throws -> Int {
    guard let integer = try integer(key) else {
      throw problem(
        "the metadata key \(quoted(name(of: key))) is missing; convert the model again")
    }
    return integer
  }

  /// A number; nil if it isn't there.
  package mutating func number(_ key: String) throws -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.number else {
      throw problem("the metadata key \(quoted(name(of: key))) is not a number")
    }
    return number
  }

  /// A list of truth values; nil if it isn't there.
  package mutating func flags(_ key: String) throws -> [Bool]? {
    guard let value = value(key) else { return nil }
    let flags = value.array?.elements.compactMap(\.flag)
    guard let flags, flags.count == value.array?.count else {
      throw problem("the metadata key \(quoted(name(of: key))) is not a list of truth values")
    }
    return flags
  }

  /// A text; nil if it isn't there.
  package mutating func text(_ key: String) throws -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.text else {
      throw problem("the metadata key \(quoted(name(of: key))) is not a text")
    }
    return text
  }

  /// A truth value; nil if it isn't there.
  package mutating func flag(_ key: String) throws -> Bool? {
    guard let value = value(key) else { return nil }
    guard let flag = value.flag else {
      throw problem("the metadata key \(quoted(name(of: key))) is not true or false")
    }
    return flag
  }

  /// Integers; nil if they aren't there.
  package mutating func integers(_ key: String) throws -> [Int]? {
    guard let value = value(key) else { return nil }
    guard let integers = value.array?.integers else {
      throw problem("the metadata key \(quoted(name(of: key))) is no list of integers")
    }
    return integers
  }

  /// Takes a key that says nothing about how the model computes.
  package mutating func ignore(_ key: String) { asked.insert(name(of: key)) }

  /// Checks that nothing was left over.
  package func finish() throws {
    let prefix = architecture + "."
    for key in file.metadata.keys.sorted() where key.hasPrefix(prefix) && !asked.contains(key) {
      throw problem(
        "the metadata key \(quoted(key)) is not supported: the model computes something else")
    }
  }
}
