import Files
import Tensors

extension ConvolutionShape {
  private enum Key { static let (taps, group) = ("conv_kernel_size", "conv_group_size") }

  /// Reads the convolutions of a DFlash 2 drafter; a kernel of 0 means none.
  ///
  /// - Throws: `SpeculateError` when a size is missing or out of range.
  init?(_ settings: DrafterSection, hidden: Int) throws {
    let taps = try settings.required(Key.taps, 0...64)
    guard taps > 0 else { return nil }
    let group = try settings.required(Key.group, 1...hidden)
    guard hidden.isMultiple(of: group) else {
      throw settings.problem(
        Key.group, "is \(group), but 'hidden_size' \(hidden) is no multiple of it")
    }
    self.init(taps: taps, group: group)
  }

  var members: [String: JSONValue] {
    [Key.taps: .integer(taps), Key.group: .integer(group)]
  }

  /// The settings of a drafter without convolutions beside a selector.
  static let none: [String: JSONValue] = [Key.taps: .integer(0)]
}

/// The settings of a drafter's own section, and behind them those of the whole file.
struct DrafterSection {
  let own: ConfigurationFile
  let file: ConfigurationFile

  private func section(_ key: String) -> ConfigurationFile { own.value(key) == nil ? file : own }

  /// An integer that must be there.
  func required(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
    let section = section(key)
    guard let value = try section.integer(key) else {
      throw own.problem("'\(own.name(of: key))' is missing; is this a DFlash 2 drafter?")
    }
    guard range.contains(value) else {
      throw problem(key, "is \(value), must be \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func problem(_ key: String, _ text: String) -> SpeculateError {
    let section = section(key)
    return section.problem("'\(section.name(of: key))' \(text)")
  }
}
