import Foundation
import Tensors
import Testing

import Verifier

@Suite struct TokenizerLoaderTests {
  static let model = SentencePieceModelBuilder(words: SentencePieceTokenizerTests.words).data

  @Test func loadsASentencePieceModel() throws {
    try TestFiles.withFolder(["tokenizer.model": Self.model]) { folder in
      let tokenizer = try TokenizerLoader.load(directory: folder)
      #expect(tokenizer.encode("", addSpecial: true) == [1])
    }
    let config = Data(#"{"add_bos_token": false, "add_eos_token": true}"#.utf8)
    try TestFiles.withFolder(["tokenizer.model": Self.model, "tokenizer_config.json": config]) {
      let tokenizer = try TokenizerLoader.load(directory: $0)
      #expect(tokenizer.encode("", addSpecial: true) == [2])
    }
  }

  @Test func saysWhatIsMissing() throws {
    try TestFiles.withFolder([:]) { folder in
      let error = #expect(throws: SpeculateError.self) {
        try TokenizerLoader.load(directory: folder)
      }
      #expect(
        error?.description
          == "no tokenizer in \(folder.path); copy the checkpoint's tokenizer.model there")
      let missing = folder.appending(path: "nowhere")
      #expect(
        throws: SpeculateError("\(missing.path) does not exist; give the folder of a checkpoint")
      ) { try TokenizerLoader.load(directory: missing) }
    }
    try TestFiles.withFolder([
      "tokenizer.model": Self.model, "tokenizer_config.json": Data("[1".utf8),
    ]) { folder in
      let file = folder.appending(path: "tokenizer_config.json").path
      #expect(throws: SpeculateError("\(file) is not a JSON object; copy the file again")) {
        try TokenizerLoader.load(directory: folder)
      }
    }
  }
}
