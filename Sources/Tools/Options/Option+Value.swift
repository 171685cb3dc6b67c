import ArgumentParser

/// Options by what they mean and what their value is called. A number may be negative: whether it makes
/// sense is for the command to say.
extension Option {
  private static func parsing<T>(_: T.Type) -> SingleValueParsingStrategy {
    T.self is any Numeric.Type ? .unconditional : .next
  }

  /// An option with a usual value.
  init(
    wrappedValue: Value, _ help: String, value: String? = nil, name: NameSpecification = .long,
    parsing: SingleValueParsingStrategy? = nil
  ) where Value: ExpressibleByArgument {
    self.init(
      wrappedValue: wrappedValue, name: name, parsing: parsing ?? Self.parsing(Value.self),
      help: ArgumentHelp(help, valueName: value))
  }

  /// An option that must be given.
  init(
    _ help: String, value: String? = nil, name: NameSpecification = .long,
    parsing: SingleValueParsingStrategy? = nil
  ) where Value: ExpressibleByArgument {
    self.init(
      name: name, parsing: parsing ?? Self.parsing(Value.self),
      help: ArgumentHelp(help, valueName: value))
  }

  /// An option that may be left out.
  init<T: ExpressibleByArgument>(
    _ help: String, value: String? = nil, name: NameSpecification = .long,
    parsing: SingleValueParsingStrategy? = nil
  ) where Value == T? {
    self.init(
      name: name, parsing: parsing ?? Self.parsing(T.self),
      help: ArgumentHelp(help, valueName: value))
  }

  /// An option with several values behind it.
  init<T: ExpressibleByArgument>(
    wrappedValue: [T], _ help: String, value: String, name: NameSpecification = .long
  ) where Value == [T] {
    self.init(
      wrappedValue: wrappedValue, name: name, parsing: .upToNextOption,
      help: ArgumentHelp(help, valueName: value))
  }
}
