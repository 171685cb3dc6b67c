import Files
package import Foundation

/// Loads whichever tokenizer a checkpoint folder holds.
package enum TokenizerLoader {
  /// The files that a folder's tokenizer is read from: `tokenizer.json`, or else `tekken.json` (Mistral),
  /// or else `tokenizer.model` (SentencePiece), or else `vocab.json` with `merges.txt` (GPT-2); none where
  /// there is no tokenizer.
  package static func files(in directory: URL) -> [String] {
    [["tokenizer.json"], ["tekken.json"], ["tokenizer.model"], ["vocab.json", "merges.txt"]]
      .first { $0.allSatisfy { TokenizerFiles.exists(directory.appending(path: $0)) } } ?? []
  }

  /// Loads what a GGUF file's metadata describes, or what a folder's ``files(in:)`` hold.
  ///
  /// `tokenizer_config.json` and `special_tokens_map.json`, where there are such, name the begin and
  /// end tokens. With a `tokenizer.model` they say also which of them are added to a text; by
  /// default a begin token is and an end token is not.
  ///
  /// - Throws: `SpeculateError` when there is no tokenizer, or it is damaged or not supported.
  package static func load(directory: URL) throws -> any Tokenizer {
    func file(_ name: String) -> URL { directory.appending(path: name) }

    guard TokenizerFiles.exists(directory) else {
      throw SpeculateError("\(directory.path) does not exist; give the folder of a checkpoint")
    }
    if GGUFFile.isMeant(by: directory) {
      return try GGUFTokenizer.load(try GGUFFile(url: directory))
    }
    let configuration = try TokenizerConfiguration(directory: directory)
    switch Self.files(in: directory).first {
    case "tokenizer.json":
      let json = file("tokenizer.json")
      return try PieceTokenizer(json: TokenizerFiles.read(json), name: json.path, configuration)
    case "tekken.json":
      let json = file("tekken.json")
      return PieceTokenizer(
        try TekkenJSON(TokenizerFiles.read(json), name: json.path).parts(configuration))
    case "tokenizer.model":
      return try SentencePieceTokenizer(directory: directory, configuration)
    case .some:
      return try GPT2Files.load(
        vocabulary: file("vocab.json"), merges: file("merges.txt"), configuration)
    case nil:
      throw SpeculateError(
        "no tokenizer in \(directory.path); copy the checkpoint's tokenizer.json or "
          + "tokenizer.model there")
    }
  }
}

/// Reads the files of a tokenizer folder with errors that say which file and why.
enum TokenizerFiles {
  static func read(_ file: URL) throws -> Data {
    do {
      return try Data(contentsOf: file)
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw SpeculateError("\(file.path): there is no such file; check the path")
    } catch {
      throw SpeculateError("can't read \(file.path): \(systemReason(error))")
    }
  }

  static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }
}
