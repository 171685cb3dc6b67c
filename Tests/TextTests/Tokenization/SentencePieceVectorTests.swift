import Files
import Foundation
import TestSupport
import Testing
import Text

/// Real models from the shared data folder.
@Suite struct SentencePieceVectorTests {
  static let llama = TestFiles.data("tokenizers/llama2/tokenizer.model")
  static let french = TestFiles.data("reference/swift-transformers/llama_encoded.json")
  static let mistral = TestFiles.data("tokenizers/mistral/tokenizer.model.v1")

  @Test(
    .enabled(
      if: TestFiles.exist(llama, TokenizerVectors.file("llama-spm", "inp")),
      "../shared/data/tokenizers is absent"),
    arguments: ["llama-spm", "phi-3"])
  func equalsLlamaVectors(kind: String) throws {
    let tokenizer = try SentencePieceTokenizer(file: Self.llama)
    let vectors = try TokenizerVectors(kind)
    #expect(vectors.texts.count == 46 && vectors.ids.count == 46)
    for (text, ids) in zip(vectors.texts, vectors.ids) {
      #expect(try tokenizer.encode(text, addSpecial: false) == ids, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids, skipSpecial: true) == text, "\(text.debugDescription)")
    }
  }

  @Test(
    .enabled(if: TestFiles.exist(llama, french), "../shared/data/reference is absent"))
  func equalsSwiftTransformers() throws {
    let tokenizer = try SentencePieceTokenizer(file: Self.llama)
    let reference = try TokenizerReference(Self.french)
    #expect(try tokenizer.encode(reference.text, addSpecial: true) == reference.tokenIds)
    #expect(
      tokenizer.decode(reference.tokenIds, skipSpecial: false) == reference.decodedText)
    #expect(tokenizer.decode(reference.tokenIds, skipSpecial: true) == reference.text)
  }

  @Test(
    .enabled(if: TestFiles.exist(llama, mistral), "../shared/data/tokenizers is absent"),
    arguments: [llama, mistral])
  func roundTripsAndStreams(file: URL) throws {
    let tokenizer = try SentencePieceTokenizer(file: file)
    var random = SplitMix(seed: 3)
    for _ in 0..<300 {
      let text = RandomText.withoutMetaspace(maximum: 40, using: &random)
      let ids = try tokenizer.encode(text, addSpecial: true)
      #expect(Array(tokenizer.decode(ids, skipSpecial: true).utf8) == Array(text.utf8))
      #expect(StreamingCheck.holds(for: ids, of: tokenizer))
    }
  }
}
