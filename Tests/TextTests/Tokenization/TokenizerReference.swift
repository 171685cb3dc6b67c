import Files
import Foundation

/// One text and its ids, from the tests of swift-transformers.
struct TokenizerReference: Decodable {
  var text: String
  var bpeTokens: [String]
  var tokenIds: [Token]
  var decodedText: String

  init(_ file: URL) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Self.self, from: Data(contentsOf: file))
  }
}
