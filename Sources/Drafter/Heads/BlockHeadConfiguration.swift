package import Files
package import Tensors

/// One of a drafter's heads as `config.json` describes it.
///
/// A kind of head is a file: its sizes, keys, tensors and weights, and what it does to rows. `DrafterHeads.kinds`
/// lists all kinds; how one is trained is in a file of its name in Training.
package protocol BlockHeadConfiguration: Sendable, Equatable {
  /// What reports call this kind of head.
  static var name: String { get }

  /// What reports say of this head.
  var summary: String { get }

  /// What a draft pass takes longer for, if anything.
  var cost: String? { get }

  /// Values that the head makes of the token before a row, which later heads see; 0 for none.
  var previousWidth: Int { get }

  /// Reads the head's keys of `config.json`; nil where the drafter has no such head.
  ///
  /// - Parameter previousWidth: Values that earlier heads make of the token before a row.
  /// - Throws: `SpeculateError` when a value is out of range or asks for what isn't supported.
  init?(_ file: ConfigurationFile, previousWidth: Int) throws

  func members(previousWidth: Int) -> [String: JSONValue]

  /// Keys that go into the drafter's own section of `config.json` instead.
  var settings: [String: JSONValue] { get }

  /// The head's tensors, in the order of training's parameters.
  func tensors(_ place: HeadPlace) -> [NamedShape]

  /// Takes the head's weights from a drafter's file.
  ///
  /// - Throws: `SpeculateError` when one is missing or has another shape.
  func load(
    _ source: any WeightSource, _ place: HeadPlace, format: WeightFormat
  ) throws -> any BlockHead
}

extension BlockHeadConfiguration {
  package var cost: String? { nil }
  package var previousWidth: Int { 0 }
  package var settings: [String: JSONValue] { [:] }

  package func equals(_ other: any BlockHeadConfiguration) -> Bool { other as? Self == self }
}

/// The sizes of a drafter that a head depends on.
package struct HeadPlace: Sendable, Equatable {
  package let hidden: Int
  package let vocabularySize: Int
  package let choices: Int
  /// Values that earlier heads make of the token before a row.
  package let previousWidth: Int
}
