import Files
import Foundation

/// The begin and end tokens of a model: `generation_config.json` first, then `config.json`.
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
    func tokens(_ key: String, default standard: Int?) throws -> [Token] {
      for file in files {
        guard let ids = try file.integers(key) else { continue }
        return try ids.map { id in
          guard id >= 0, id < vocabularySize, let token = Token(exactly: id) else {
            throw file.problem(
              "\(key) is \(id), but must be below vocab_size, \(vocabularySize); correct it")
          }
          return token
        }
      }
      guard let standard, standard < vocabularySize, !files.contains(where: { $0.has(key) }) else {
        return []
      }
      return [Token(standard)]
    }
    begin = try tokens("bos_token_id", default: family.defaults.beginToken).first
    end = try tokens("eos_token_id", default: family.defaults.endToken)
  }
}
