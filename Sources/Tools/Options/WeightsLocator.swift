import Files
package import Foundation

/// Finds the embedded pair: a `Weights` folder with `target` and `drafter` in it.
///
/// Looked for in the folder that the environment variable `SPECULATE_WEIGHTS` names (and then
/// nowhere else), in the current folder, and in each folder above the executable: a build folder
/// lies inside its package.
package struct WeightsLocator {
  private let override: String?
  private let roots: [URL]

  /// Looks around this process.
  init() {
    let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    self.init(
      environment: ProcessInfo.processInfo.environment,
      current: URL(filePath: FileManager.default.currentDirectoryPath), executable: executable)
  }

  /// The same with the surroundings given, for tests.
  package init(environment: [String: String], current: URL, executable: URL) {
    override = environment["SPECULATE_WEIGHTS"].flatMap { $0.isEmpty ? nil : $0 }
    var roots = [current]
    var folder = executable.deletingLastPathComponent()
    while folder.path != "/" && folder.pathComponents.count > 1 {
      roots.append(folder)
      folder.deleteLastPathComponent()
    }
    self.roots = roots
  }

  /// One part of the embedded pair.
  ///
  /// - Parameter name: `target` or `drafter`.
  /// - Throws: `SpeculateError` that names the option to give instead.
  package func folder(_ name: String) throws -> URL {
    let candidates =
      override.map { [URL(filePath: $0).appending(path: name)] }
      ?? roots.map { $0.appending(path: "Weights").appending(path: name) }
    let found = candidates.first {
      FileManager.default.fileExists(atPath: $0.appending(path: "config.json").path)
    }
    if let found { return found }
    if let override {
      throw SpeculateError(
        "SPECULATE_WEIGHTS is \(override), but there is no \(name)/config.json in it; correct it, "
          + "or give \(Self.option(name))")
    }
    throw SpeculateError(
      "the embedded \(name) (Weights/\(name)) is neither in the current folder nor in one above the "
        + "program; give \(Self.option(name)), or set SPECULATE_WEIGHTS to the Weights folder")
  }

  /// The `Weights` folders that there are.
  package var folders: [URL] {
    (override.map { [URL(filePath: $0)] } ?? roots.map { $0.appending(path: "Weights") })
      .filter { FileManager.default.fileExists(atPath: $0.path) }
  }

  private static func option(_ name: String) -> String {
    name == "drafter" ? "--drafter DIR or --drafter none" : "--\(name) DIR"
  }
}
