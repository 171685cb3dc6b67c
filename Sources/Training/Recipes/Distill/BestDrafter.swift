import Files
package import Foundation

/// The folder of the drafter that was accepted best so far: `best` in a run's folder, a drafter's folder
/// like any other.
///
/// Its weights know their step and acceptance, so that an interruption can't part the one from the other:
/// a resumed run compares with what lies there.
package struct BestDrafter: Sendable, Equatable {
  /// The step after which it was evaluated.
  package let step: Int
  package let acceptanceLength: Double

  package static func folder(in output: URL) -> URL { output.appending(path: "best") }

  private static let (stepKey, lengthKey) = ("step", "acceptance_length")
  private static let checkKey = "acceptance_check"

  init(step: Int, acceptanceLength: Double) {
    self.step = step
    self.acceptanceLength = acceptanceLength
  }

  /// Reads what lies in a run's folder; `nil` if nothing does.
  package init?(in output: URL) throws {
    let file = Self.folder(in: output).appending(path: DrafterExport.weightsName)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let metadata = try Checkpoint(file: file).metadata
    guard let step = metadata[Self.stepKey].flatMap({ Int($0) }),
      let length = metadata[Self.lengthKey].flatMap({ Double($0) })
    else {
      throw SpeculateError(
        "\(file.path) doesn't say how well its drafter is accepted: move it away, for ‘save best’ "
          + "to write there")
    }
    self.init(step: step, acceptanceLength: length)
    // Earlier versions wrote none.
    guard metadata[Self.checkKey] ?? check == check else {
      throw SpeculateError(
        "\(file.path) is damaged: move it away, for ‘save best’ to write there")
    }
  }

  /// What the weights' file says.
  var metadata: [String: String] {
    [
      Self.stepKey: "\(step)", Self.lengthKey: "\(acceptanceLength)", Self.checkKey: check,
    ]
  }

  private var check: String {
    let text = Array("\(step) \(acceptanceLength)".utf8)
    return String(text.withUnsafeBytes(FileFingerprint.of(bytes:)), radix: 16)
  }
}
