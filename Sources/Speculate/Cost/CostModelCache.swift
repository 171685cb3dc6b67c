import Drafter
import Files
public import Foundation
import Tensors
package import Verifier

/// Measured pass times, kept between runs of a program so that only the first one has to measure.
///
/// An entry is a small JSON file. It is named after what times depend on: the processor and its
/// kernels, the threads, and the shapes and formats of target and drafter; they don't depend on the
/// values of weights. What changes from minute to minute, such as the memory bandwidth that other
/// programs leave, is not in an entry: see ``CostModel/updated(runner:source:context:)``.
///
/// A cache may be lost at any time: an entry that can't be read or isn't sound is measured again, and
/// one that can't be written is forgone.
public struct CostModelCache: Sendable {
  private let folder: URL
  /// Whether entries are written, but not read.
  let measuresAgain: Bool

  /// A cache in a folder, which is made when the first entry is written.
  ///
  /// - Parameter measuresAgain: whether to ignore the entries that are there and replace them.
  public init(folder: URL, measuresAgain: Bool = false) {
    self.folder = folder
    self.measuresAgain = measuresAgain
  }

  /// The cache of this user: `$XDG_CACHE_HOME/speculate`, or `~/.cache/speculate`.
  public static func user(measuresAgain: Bool = false) -> CostModelCache {
    CostModelCache(folder: UserCache.folder, measuresAgain: measuresAgain)
  }

  package struct Key: Codable, Equatable {
    /// Raised whenever kernels change so much that old times mislead.
    package var version = 2
    package var processor: String
    package var kernels: String
    package var threads: Int
    package var maximumRows: Int
    package var target: String
    package var drafter: String?
  }

  private struct Entry: Codable {
    var key: Key
    var cost: CostModel
  }

  package func cost(of key: Key) -> CostModel? {
    guard !measuresAgain, let data = try? Data(contentsOf: file(of: key)),
      let entry = try? JSONDecoder().decode(Entry.self, from: data),
      entry.key == key, entry.cost.verify.isSound, entry.cost.draft.isSound
    else { return nil }
    return entry.cost
  }

  package func store(_ cost: CostModel, of key: Key) {
    write(Entry(key: key, cost: cost), to: file(of: key))
  }

  /// Writes an entry, or forgoes it.
  func write(_ entry: some Encodable, to file: URL) {
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(entry) else { return }
    try? AtomicFile.write(data, to: file)
  }

  package func file(of key: Key) -> URL {
    let text = [
      "\(key.version)", key.processor, key.kernels, "\(key.threads)", "\(key.maximumRows)",
      key.target, key.drafter ?? "",
    ].joined(separator: "\u{0}")
    return entry("pass-times", of: text)
  }

  /// Two keys with one name only measure in turn, since an entry holds its key.
  func entry(_ kind: String, of key: String) -> URL {
    folder.appending(path: "\(kind)-\(String(FNV1a(key).value, radix: 16)).json")
  }
}

extension CostModelCache.Key {
  package init(runner: CausalRunner, drafter: DrafterModel?) {
    let configuration = runner.model.configuration
    self.init(
      processor: Processor.name,
      kernels: "\(InstructionSet.current)" + (InstructionSet.hasDotProducts ? "+vnni" : ""),
      threads: runner.workers.count,
      // A context shorter than a pass is measured in narrower ones.
      maximumRows: min(runner.maximumRows, configuration.maximumContext),
      target: [
        runner.model.summary, "cache \(runner.cacheFormat)", "taps \(runner.tapLayers.count)",
      ].joined(separator: ", "),
      drafter: drafter.map { drafter in
        switch drafter {
        case .block(let drafter):
          (["\(drafter.configuration.layerCount) layers of \(drafter.configuration.shape.summary)"]
            + drafter.configuration.costs + ["weights \(drafter.format)"]
            + [drafter.configuration.kind.cost].compactMap { $0 }).joined(separator: ", ")
        case .causal(let model, let passes, _):
          "\(model.summary), passes \(passes ?? 0)"
        case .answers: "table of answers"
        }
      })
  }
}

extension CausalModel {
  /// The sizes and formats that pass times depend on.
  fileprivate var summary: String {
    [
      "\(configuration.layerCount) layers of \(configuration.layerShape.summary)",
      "vocabulary \(configuration.vocabularySize)", "window \(configuration.slidingWindow ?? 0)",
      "weights \(formats)",
    ].joined(separator: ", ")
  }
}

extension LayerShape {
  fileprivate var summary: String {
    "width \(hidden), heads \(heads)/\(keyValueHeads) of \(headDimension), inside \(intermediate)"
  }
}

extension PassTimes {
  /// Whether widths rise from 1 or more and seconds are positive and never fall: files may have been
  /// edited.
  fileprivate var isSound: Bool {
    !widths.isEmpty && widths.count == seconds.count && widths[0] >= 1
      && zip(widths, widths.dropFirst()).allSatisfy { $0 < $1 }
      && seconds.allSatisfy { $0 > 0 && $0.isFinite }
      && zip(seconds, seconds.dropFirst()).allSatisfy { $0 <= $1 }
  }
}
