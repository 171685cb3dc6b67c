import Drafter
import Files
import Foundation
import Speculate

/// The block drafters on this disk that were made for a target.
enum FittingDrafters {
  /// Looks beside the target, in `Weights` folders and among what was fetched.
  ///
  /// - Returns: Folders and GGUF files, in that order.
  static func find(for target: URL) -> [URL] {
    let places =
      [target.standardizedFileURL.deletingLastPathComponent()] + WeightsLocator().folders
      + [PublishedModel.folder]
    return find(for: target, in: places)
  }

  /// Looks in these folders, in their order, and in each by name.
  static func find(for target: URL, in places: [URL]) -> [URL] {
    var seen: Set<String> = []
    return places.flatMap(candidates).filter { url in
      seen.insert(url.resolvingSymlinksInPath().path).inserted
        && DrafterModel.fits(url, target: target)
    }
  }

  /// What may be a model in a folder.
  private static func candidates(in folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().compactMap { name in
      let url = folder.appending(path: name)
      if GGUFFile.isMeant(by: url) { return url }
      let configuration = url.appending(path: "config.json")
      return FileManager.default.fileExists(atPath: configuration.path) ? url : nil
    }
  }
}
