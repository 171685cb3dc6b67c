import Files
import Foundation
import TestSupport
import Testing
import Text
import Training

/// Documents become one stream of tokens, once.
@Suite struct TokenCacheTests {
  static let lines = """
    {"text": "abcd ab\\ncd"}

    {"name": "x", "text": ""}
    {"text": "</s> a"}
    """

  /// A folder with documents and a tokenizer.
  struct Fixture {
    let folder: TemporaryFolder
    let documents: URL
    let tokenizer: URL
    let cache: TokenCache

    init(_ lines: String = TokenCacheTests.lines, tokenizer model: Data = TinyTokenizer.data) throws
    {
      folder = try TemporaryFolder()
      documents = try folder.write(Data(lines.utf8), to: "train.jsonl")
      tokenizer = try folder.write(model, to: "tiny.model")
      cache = TokenCache("train", in: folder.file("output"))
    }

    /// Returns how many documents were read; nil when it was stopped.
    func update(stopAfter limit: Int = .max) throws -> Int? {
      var (asked, read) = (0, 0)
      let done = try cache.update(
        documents: documents, tokenizer: tokenizer,
        shouldStop: {
          asked += 1
          return asked > limit
        }, progress: { documents, _ in read = documents })
      return done ? read : nil
    }

    /// The tokens in the file.
    var tokens: [Token] {
      get throws {
        let bytes = [UInt8](try Data(contentsOf: cache.url))
        return stride(from: 0, to: bytes.count, by: 2).map {
          Token(bytes[$0]) | Token(bytes[$0 + 1]) << 8
        }
      }
    }

    var output: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: folder.file("output").path) }
    }

    var complaint: String {
      do {
        let read = try update()
        return "no error, \(read ?? -1) documents"
      } catch {
        return "\(error)".replacingOccurrences(of: folder.url.path + "/", with: "")
      }
    }
  }

  @Test func `every document is followed by the end token`() throws {
    let fixture = try Fixture()
    #expect(try fixture.update() == 3)
    let tokenizer = try SentencePieceTokenizer(file: fixture.tokenizer)
    func id(_ piece: String) throws -> Token { try #require(tokenizer.id(of: piece)) }
    let first = try [id("abcd"), id("▁"), id("ab"), id("\n"), id("cd"), 2]
    let last = try tokenizer.encode("</s> a", addSpecial: false) + [2]
    #expect(last.count > 2)  // its spelling doesn't make an end token
    #expect(try fixture.tokens == first + [2] + last)
    #expect(!last.dropLast().contains(2))
    let stream = try TokenStream(
      contentsOf: fixture.cache.url, vocabularySize: TinyTokenizer.vocabulary)
    #expect(stream.count == first.count + 1 + last.count)
  }

  @Test func `compressed documents give the same tokens`() throws {
    let fixture = try Fixture()
    #expect(try fixture.update() == 3)
    let plain = try fixture.tokens
    let compressed = try fixture.folder.write(
      Data(try Data(Self.lines.utf8).withUnsafeBytes { try Zstd.compress($0) }),
      to: "train.jsonl.zst")
    let cache = TokenCache("other", in: fixture.folder.url)
    #expect(
      try cache.update(
        documents: compressed, tokenizer: fixture.tokenizer, shouldStop: { false },
        progress: { _, _ in }))
    #expect(try Data(contentsOf: cache.url) == Data(contentsOf: fixture.cache.url))
    #expect(plain.count > 6)
  }

  @Test func `tokens are made once, and again when anything changed`() throws {
    let fixture = try Fixture()
    #expect(try fixture.update() == 3)
    let tokens = try fixture.tokens
    #expect(try fixture.update() == 0)

    try fixture.folder.write(Data("{\"text\": \"ab\"}\n".utf8), to: "train.jsonl")
    #expect(try fixture.update() == 1)
    #expect(try fixture.tokens.count == 2)

    try fixture.folder.write(
      TinyTokenizer.data(words: TinyTokenizer.letters), to: "tiny.model")
    #expect(try fixture.update() == 1)
    #expect(try fixture.tokens.count == 3)

    try Data([1, 0]).write(to: fixture.cache.url)
    #expect(try fixture.update() == 1)
    #expect(try fixture.tokens.count == 3)
    try FileManager.default.removeItem(at: fixture.cache.url)
    #expect(try fixture.update() == 1)
    #expect(try fixture.update() == 0)
    #expect(tokens.count > 3)
  }

  @Test func `a stop leaves no tokens behind`() throws {
    let fixture = try Fixture()
    #expect(try fixture.update(stopAfter: 2) == nil)
    #expect(try fixture.output == [])
    #expect(try fixture.update(stopAfter: 3) == 3)
    #expect(try fixture.output.sorted() == ["train.tokens.json", "train.tokens.u16"])
  }

  @Test(arguments: [
    (
      "{\"text\": \"a\"}\n{\"text\": \"a\"",
      "train.jsonl: line 2 is not valid JSON at byte "
    ),
    (
      "{\"txt\": \"a\"}\n",
      "train.jsonl: line 1 holds neither prompt nor text: \"messages\", \"turns\", \"prompt\" or \"text\" should be "
        + "there; correct the line"
    ),
    (
      "\n[1]\n",
      "train.jsonl: line 2 is not a JSON object; correct the line"
    ),
    (
      "{\"turns\": [\"a\"]}\n",
      "train.jsonl: line 1 is a chat, which has no text without a model's template; give documents"
    ),
    ("", "train.jsonl holds no text; give a file with documents"),
    ("{\"text\": \"\"}\n", "train.jsonl holds no text; give a file with documents"),
  ])
  func `mistakes in documents are named`(lines: String, message: String) throws {
    let fixture = try Fixture(lines)
    let complaint = fixture.complaint
    #expect(complaint.hasPrefix(message), "\(complaint)")
    if message.hasSuffix("byte ") {
      #expect(complaint.hasSuffix("; correct the line or remove it"), "\(complaint)")
    } else {
      #expect(complaint == message)
    }
    #expect(!complaint.contains("\n"))
    #expect(try fixture.output == [])
  }

  @Test func `a vocabulary that 16 bits can't hold is refused`() throws {
    let words = (0..<65_531).map { "w\($0)" }
    let fits = try Fixture(tokenizer: TinyTokenizer.data(words: words))
    #expect(try fits.update() == 3)
    let large = try Fixture(tokenizer: TinyTokenizer.data(words: words + ["one more"]))
    #expect(
      large.complaint
        == "tiny.model has 65537 tokens, but training stores them in 16 bits: give a tokenizer of "
        + "at most 65536")
  }

  @Test func `a tokenizer without an end token is refused`() throws {
    let fixture = try Fixture(
      tokenizer: TinyTokenizer.data(words: TinyTokenizer.letters, endPiece: "<end>"))
    #expect(
      fixture.complaint
        == "tiny.model has no end token to put between documents: give a tokenizer with one")
  }
}
