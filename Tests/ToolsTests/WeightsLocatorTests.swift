import Files
import Foundation
import Testing
import Tools

@Suite struct WeightsLocatorTests {
  /// A folder with `Weights/target/config.json` in `place`.
  private func scene(weightsIn place: String) throws -> URL {
    let root = try temporaryFolder()
    let target = root.appending(path: place).appending(path: "Weights/target")
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: target.appending(path: "config.json"))
    return root
  }

  private func locator(_ root: URL, variable: String? = nil) -> WeightsLocator {
    WeightsLocator(
      environment: variable.map { ["SPECULATE_WEIGHTS": $0] } ?? [:],
      current: root.appending(path: "current"),
      executable: root.appending(path: "package/.build/release/speculate"))
  }

  @Test(arguments: ["current", "package", "package/.build/release", "."])
  func weightsAreFoundFromTheCurrentFolderAndAboveTheProgram(place: String) throws {
    let root = try scene(weightsIn: place)
    defer { try? FileManager.default.removeItem(at: root) }
    let found = try locator(root).folder("target").standardizedFileURL.path
    let expected = root.appending(path: place).appending(path: "Weights/target")
    #expect(found == expected.standardizedFileURL.path)
  }

  @Test func theVariableComesBeforeAllElse() throws {
    let root = try scene(weightsIn: "current")
    defer { try? FileManager.default.removeItem(at: root) }
    let other = try scene(weightsIn: ".")
    defer { try? FileManager.default.removeItem(at: other) }
    let weights = other.appending(path: "Weights").path
    #expect(try locator(root, variable: weights).folder("target").path == weights + "/target")
  }

  @Test func anAbsentFolderIsAnErrorThatSaysWhatToDo() throws {
    let root = try scene(weightsIn: "current")
    defer { try? FileManager.default.removeItem(at: root) }
    #expect(
      throws: SpeculateError(
        "the embedded drafter (Weights/drafter) is neither in the current folder nor in one above "
          + "the program; give --drafter DIR or --drafter none, or set SPECULATE_WEIGHTS to the Weights folder"
      )
    ) { try locator(root).folder("drafter") }
    #expect(
      throws: SpeculateError(
        "SPECULATE_WEIGHTS is /nowhere, but there is no target/config.json in it; correct it, or "
          + "give --target DIR")
    ) { try locator(root, variable: "/nowhere").folder("target") }
  }
}
