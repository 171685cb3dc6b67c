import Files
import Foundation

/// What was learned about how likely drafts stay, kept apart for ways of decoding in which that differs.
///
/// It is about one target and one drafter, and decides speed, never tokens.
package struct DraftExperience: Sendable, Equatable, Codable {
  /// A way of decoding, as far as chances differ by it.
  package struct Way: Hashable, Sendable, Codable {
    /// In fifths; 0 for greedy decoding.
    package let temperature: Int
    package let choice: DraftChoice
    package let verification: Verification

    package init(_ parameters: GenerationParameters, _ choice: DraftChoice) {
      let fifths = (parameters.sampling.temperature * 5).rounded()
      temperature = parameters.sampling.isGreedy ? 0 : max(1, Int(min(fifths, 10)))
      self.choice = choice
      verification = parameters.usedVerification
    }
  }

  private struct Entry: Sendable, Equatable, Codable {
    var way: Way
    var chances: DraftChances
  }

  private var entries: [Entry] = []

  package init() {}

  package subscript(way: Way) -> DraftChances? {
    get { entries.first { $0.way == way }?.chances }
    set {
      entries.removeAll { $0.way == way }
      if let newValue { entries.append(Entry(way: way, chances: newValue)) }
    }
  }

  /// The same, as far as it can be believed and where other texts come: with less weight.
  fileprivate var restored: DraftExperience {
    var restored = self
    restored.entries = entries.compactMap { entry in
      guard entry.chances.isSound else { return nil }
      var entry = entry
      entry.chances.fade()
      return entry
    }
    return restored
  }
}

/// Experience lies beside pass times, and like them may be lost at any time.
extension CostModelCache {
  /// The files of a target and of what drafts for it; what they are called and when they were written stands for what
  /// is in them.
  package struct ExperienceKey: Codable, Equatable, Sendable {
    /// Raised whenever chances mean something else.
    package var version = 1
    package var target: [String]
    package var drafter: [String]?

    /// - Returns: `nil` for models that weren't loaded from files.
    package init?(target: String?, drafter: DrafterModel?) {
      guard let target = target.flatMap(Self.files) else { return nil }
      self.target = target
      guard let drafter else { return }
      guard let files = drafter.path.flatMap(Self.files) else { return nil }
      self.drafter = files
    }

    private static func files(_ path: String) -> [String]? {
      let model = URL(filePath: path).standardizedFileURL
      let names = try? FileManager.default.contentsOfDirectory(atPath: model.path)
      let weights = (names ?? []).filter { $0.hasSuffix(".safetensors") }.sorted()
      let files = names == nil ? [model] : weights.map { model.appending(path: $0) }
      let marks = files.compactMap { file -> String? in
        guard let values = try? FileManager.default.attributesOfItem(atPath: file.path),
          let size = values[.size] as? Int, let date = values[.modificationDate] as? Date
        else { return nil }
        return "\(file.path) \(size) \(date.timeIntervalSince1970)"
      }
      return marks.isEmpty || marks.count < files.count ? nil : marks
    }
  }

  private struct ExperienceEntry: Codable {
    var key: ExperienceKey
    var experience: DraftExperience
  }

  package func experience(of key: ExperienceKey) -> DraftExperience? {
    guard !measuresAgain, let data = try? Data(contentsOf: file(of: key)),
      let entry = try? JSONDecoder().decode(ExperienceEntry.self, from: data), entry.key == key
    else { return nil }
    return entry.experience.restored
  }

  package func store(_ experience: DraftExperience, of key: ExperienceKey) {
    write(ExperienceEntry(key: key, experience: experience), to: file(of: key))
  }

  package func file(of key: ExperienceKey) -> URL {
    let text = (["\(key.version)"] + key.target + (key.drafter ?? [])).joined(separator: "\u{0}")
    return entry("chances", of: text)
  }
}
