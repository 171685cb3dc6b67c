import Foundation
import Tensors

/// The fields of `tokenizer_config.json` that change what a tokenizer does; all may be absent.
struct TokenizerConfiguration: Equatable {
  var addsBegin: Bool?
  var addsEnd: Bool?
  /// The spelling of the begin token.
  var beginToken: String?
  /// The spelling of the end token.
  var endToken: String?

  /// Reads the folder's file; without one every field is `nil`.
  init(directory: URL) throws {
    let file = directory.appending(path: "tokenizer_config.json")
    guard TokenizerFiles.exists(file) else { return }
    guard
      let object = try? JSONSerialization.jsonObject(with: TokenizerFiles.read(file)),
      let fields = object as? [String: Any]
    else {
      throw SpeculateError("\(file.path) is not a JSON object; copy the file again")
    }
    addsBegin = fields["add_bos_token"] as? Bool
    addsEnd = fields["add_eos_token"] as? Bool
    beginToken = Self.spelling(fields["bos_token"])
    endToken = Self.spelling(fields["eos_token"])
  }

  /// A token is given by its spelling or by an object whose `content` is the spelling.
  private static func spelling(_ value: Any?) -> String? {
    value as? String ?? (value as? [String: Any])?["content"] as? String
  }
}
