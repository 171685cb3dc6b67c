internal import Files

/// A policy that can be asked for by its name.
package protocol NamedPolicy: DenoisingPolicy {
  static var name: String { get }
  /// What it does, in a few words, and who published it.
  static var about: String { get }
  static var settings: [DenoisingSetting] { get }

  /// Makes the policy.
  ///
  /// - Parameter values: of all its settings, in their ranges.
  init(_ values: DenoisingValues)
}

/// A number that changes what a policy does.
package struct DenoisingSetting: Sendable, Equatable {
  package var key: String
  package var about: String
  /// The published value, where there is one.
  package var usual: Double
  package var range: ClosedRange<Double>
  package var isWhole: Bool

  package init(
    _ key: String, _ usual: Double, _ range: ClosedRange<Double>, isWhole: Bool = false,
    _ about: String
  ) {
    self.key = key
    self.about = about
    self.usual = usual
    self.range = range
    self.isWhole = isWhole
  }

  /// What all policies have that may take several passes.
  package static let common = [
    DenoisingSetting(
      "passes", 0, 0...64, isWhole: true, "passes of a block at most; 0 for as many as it wants"),
    DenoisingSetting(
      "gate", 0, 0...1, isWhole: true,
      "1 for a second pass only where it is expected to pay, by what passes cost"),
  ]
}

/// The values of a policy's settings.
package struct DenoisingValues: Sendable, Equatable {
  private var values: [String: Double]

  package init(_ settings: [DenoisingSetting], _ given: [String: Double] = [:]) {
    values = Dictionary(settings.map { ($0.key, $0.usual) }, uniquingKeysWith: { $1 })
    values.merge(given) { $1 }
  }

  package subscript(_ key: String) -> Float { Float(values[key] ?? 0) }

  package func whole(_ key: String) -> Int { Int(values[key] ?? 0) }

  package func isOn(_ key: String) -> Bool { whole(key) != 0 }
}

/// Every policy that can be asked for, and how it is asked for: `name:key=value,key=value`.
package enum DenoisingCatalog {
  package static let kinds: [any NamedPolicy.Type] = [
    OnePass.self, StepsPolicy.self, ThresholdPolicy.self, DimplePolicy.self, LeftRunPolicy.self,
    CreditPolicy.self, LocalLeapPolicy.self, SchedulePolicy.self, FilterPolicy.self,
    BanditPolicy.self, HierarchyPolicy.self, SmoothingPolicy.self, SchedulesPolicy.self,
    ExtensionPolicy.self, DelimiterPolicy.self, InsertionPolicy.self, WidthPolicy.self,
    NoisePolicy.self,
  ]

  /// The settings of a kind.
  package static func settings(of kind: any NamedPolicy.Type) -> [DenoisingSetting] {
    kind == OnePass.self ? [] : kind.settings + DenoisingSetting.common
  }

  /// The policy that a text asks for.
  ///
  /// - Throws: `SpeculateError` naming what is unknown or out of range.
  package static func policy(_ text: String) throws -> any DenoisingPolicy {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let kind = kinds.first(where: { $0.name == name }) else {
      throw SpeculateError(
        "denoising \(quoted(name)) is not known: use "
          + kinds.map { $0.name }.joined(separator: ", "))
    }
    let settings = settings(of: kind)
    var given: [String: Double] = [:]
    for pair in parts.count > 1
      ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : []
    {
      let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let key = String(words[0])
      guard let setting = settings.first(where: { $0.key == key }) else {
        throw SpeculateError(
          "denoising \(name) has no setting \(quoted(key)): "
            + (settings.isEmpty
              ? "give its name alone" : "use " + settings.map(\.key).joined(separator: ", ")))
      }
      guard given[key] == nil else {
        throw SpeculateError("denoising \(name) names \(key) twice: name it once")
      }
      guard words.count == 2, let value = Double(words[1]), setting.range.contains(value),
        !setting.isWhole || value == value.rounded()
      else {
        throw SpeculateError(
          "denoising \(name): \(key) is \(words.count == 2 ? quoted(String(words[1])) : "missing"), but"
            + " must be a \(setting.isWhole ? "whole " : "")number from \(setting.range.lowerBound.short)"
            + " to \(setting.range.upperBound.short)")
      }
      given[key] = value
    }
    let values = DenoisingValues(settings, given)
    let policy = kind.init(values)
    guard values.whole("passes") > 0 || values.isOn("gate") else { return policy }
    return LimitedPolicy(
      policy, passes: values.whole("passes"), gate: values.isOn("gate") ? SecondPassGate() : nil)
  }
}

extension Double {
  /// Without a point where there is nothing behind it.
  fileprivate var short: String {
    self == rounded() && abs(self) < 1e9 ? "\(Int(self))" : "\(self)"
  }
}
