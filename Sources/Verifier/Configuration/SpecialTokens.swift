import Files
import Foundation

/// The begin and end tokens of a model. Where `generation_config.json` and `config.json` name other end tokens, all
/// of them end a text; of begin tokens the former's counts.
struct SpecialTokens {
  let begin: Token?
  let end: [Token]

  init(
    _ file: ConfigurationFile, directory: URL, family: ModelFamily, vocabularySize: Int
  ) throws {
    var files = [file]
    let generation = directory.appendingPathComponent("generation_config.json")
    if FileManager.default.fileExists(atPath: generation.path) {
      files.insert(try ConfigurationFile(url: generation), at: 0)
    }
    func tokens(_ key: String, default standard: Int?) throws -> [[Token]] {
      let lists = try files.compactMap { file in
        try file.integers(key)?.map { id in
          guard id >= 0, id < vocabularySize, let token = Token(exactly: id) else {
            throw file.problem(
              "\(key) is \(id), but must be below vocab_size, \(vocabularySize); correct it")
          }
          return token
        }
      }
      guard lists.isEmpty, let standard, standard < vocabularySize,
        !files.contains(where: { $0.has(key) })
      else { return lists }
      return [[Token(standard)]]
    }
    begin = try tokens("bos_token_id", default: family.defaults.beginToken).first?.first
    let named = try tokens("eos_token_id", default: family.defaults.endToken)
      .reduce(into: [Token]()) { all, list in all += list.filter { !all.contains($0) } }
    let usual = family.defaults.usualEnds.filter { $0 < vocabularySize }.map { Token($0) }
    end = named.isEmpty ? usual : named
  }
}
