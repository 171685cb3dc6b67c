import Files
package import Foundation

/// The sampling that `generation_config.json` proposes.
///
/// transformers and vLLM take it unless they are told otherwise. Here decoding is greedy unless options say
/// otherwise, so that the same command gives the same text for every model; a notice says what was proposed.
package enum SamplingDefaults {
  /// The settings, and the values that propose nothing.
  private static let settings: [(key: String, neutral: Double)] = [
    ("temperature", 1), ("top_k", 0), ("top_p", 1), ("min_p", 0), ("repetition_penalty", 1),
  ]

  /// The values that a folder's file proposes by name, `temperature` and the like; those that it doesn't name
  /// propose nothing.
  ///
  /// - Throws: `SpeculateError` when the file isn't JSON, or a setting is no number.
  package static func proposed(directory: URL) throws -> [String: Double] {
    let url = directory.appendingPathComponent("generation_config.json")
    guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
    let file = try ConfigurationFile(url: url)
    return try settings.reduce(into: [:]) { $0[$1.key] = try file.number($1.key) }
  }

  /// What a folder's file proposes, as a notice; nil where it proposes greedy decoding.
  ///
  /// - Throws: `SpeculateError` when the file isn't JSON, or a setting is no number.
  static func notice(directory: URL) throws -> Notice? {
    let url = directory.appendingPathComponent("generation_config.json")
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let file = try ConfigurationFile(url: url)
    var found = try settings.compactMap { key, neutral -> (key: String, value: Double)? in
      try file.number(key).flatMap { $0 == neutral ? nil : (key, $0) }
    }
    let samples = try file.bool("do_sample") ?? false
    // Without sampling, a penalty alone changes the text.
    if !samples { found.removeAll { $0.key != "repetition_penalty" } }
    guard samples || !found.isEmpty else { return nil }
    func spelled(_ value: Double) -> String {
      Int(exactly: value).map(String.init) ?? "\(value)"
    }
    let values = found.map { "\($0.key) \(spelled($0.value))" }
    let proposal = values.isEmpty ? "sampling" : values.joined(separator: ", ")
    return Notice(
      url.path, keys: (samples ? ["do_sample"] : []) + found.map(\.key),
      "\(proposal) is proposed and not applied; decoding is greedy unless ‘temperature’ says otherwise"
    )
  }
}
