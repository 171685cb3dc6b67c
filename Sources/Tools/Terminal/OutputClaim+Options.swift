import Files
import Foundation

/// Claims of what a command writes; what they refuse names the option.
extension OutputClaim {
  static func folder(
    _ path: String, option: String, command: String, apartFrom inputs: [Input] = []
  ) throws -> OutputClaim {
    try naming(option) {
      try OutputClaim(
        folder: URL(filePath: path, directoryHint: .isDirectory), for: Job(command),
        apartFrom: inputs)
    }
  }

  static func file(
    _ url: URL, option: String, apartFrom inputs: [Input] = []
  ) throws -> OutputClaim {
    try naming(option) { try OutputClaim(file: url, apartFrom: inputs) }
  }

  private static func naming(
    _ option: String, _ claim: () throws -> OutputClaim
  ) throws -> OutputClaim {
    do {
      return try claim()
    } catch let error as SpeculateError {
      let article = option == "--output" ? "an" : "a"
      throw SpeculateError(
        error.description.replacing("an ‘output’", with: "\(article) \(option)")
          .replacing("‘output’", with: option))
    }
  }
}
