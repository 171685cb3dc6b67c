package import Foundation

/// The folder in which the user's programs keep what can be made or fetched again.
package enum UserCache {
  /// `$XDG_CACHE_HOME/speculate`, or `~/.cache/speculate`.
  package static var folder: URL {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ name: String) -> URL? {
      environment[name].flatMap { path in
        // The specification has relative paths ignored.
        path.hasPrefix("/") ? URL(filePath: path, directoryHint: .isDirectory) : nil
      }
    }
    let home = folder("HOME") ?? FileManager.default.homeDirectoryForCurrentUser
    let base = folder("XDG_CACHE_HOME") ?? home.appending(path: ".cache")
    return base.appending(path: "speculate", directoryHint: .isDirectory)
  }
}
