import Files
package import Foundation
import Speculate
package import Tensors
package import Text
package import Verifier

/// Lets a target answer prompts, into a folder of shards that can be interrupted at any moment.
package final class ResponseRecipe {
  package let target: CausalModel
  let encoder: ChatEncoder
  let weights: ModelWeights
  let workers: Workers
  private let directory: URL
  private var print: UInt64?  // of the weights, once it is known
  private var claim: (folder: URL, held: OutputClaim)?

  /// - Parameter chat: How chats are written.
  package init(
    target directory: URL, workers: Workers, chat: ChatSettings = ChatSettings()
  ) throws {
    target = try CausalModel(directory: directory)
    weights = try ModelWeights(directory)
    encoder = ChatEncoder(
      directory: directory, tokenizer: try TokenizerLoader.load(directory: directory),
      settings: chat)
    self.workers = workers
    self.directory = directory
  }

  /// What a run with this target may not write over.
  func inputs(_ options: ResponseOptions?...) -> [OutputClaim.Input] {
    [OutputClaim.Input("target", directory)] + options.compactMap { $0 }.flatMap { $0.inputs() }
  }

  /// Special tokens that begin and end texts, and those of a chat where the target has a template.
  var standingTokens: Set<Token> {
    let chat = Conversation(messages: [.system("a"), .user("b"), .assistant("c"), .user("d")])
    let ids =
      [chat, Conversation(user: "b")].lazy.compactMap {
        try? self.encoder.encode($0, now: ChatEncoder.fixedTime).ids
      }.first ?? []
    let ends = tokenizer.endTokens(of: target.configuration.endTokens, inChat: true)
    return Set(ids.filter(tokenizer.isSpecial) + ends + [tokenizer.beginToken].compactMap { $0 })
  }

  /// Claims a folder for shards, for as long as this lives.
  func claim(_ folder: URL, _ options: ResponseOptions?) throws {
    guard claim?.folder != folder else { return }
    claim = nil
    claim = (
      folder,
      try OutputClaim(
        folder: folder, for: OutputClaim.Job("distill data"), apartFrom: inputs(options))
    )
  }

  var tokenizer: any Tokenizer { encoder.tokenizer }

  /// Responses that were made earlier by this target.
  package func responses(in folder: URL) throws -> [Response] {
    let store = try ResponseStore(existing: folder)
    guard store.settings.target == (try fingerprint()) else {
      throw SpeculateError(
        "\(folder.path) holds another target's responses: make some with 'speculate distill data'")
    }
    let all = try store.all()
    for response in all { try check(response.tokens, in: folder, of: Response.kind) }
    return all
  }

  /// Says whether tokens that a folder holds are the target's.
  func check(_ tokens: [Token], in folder: URL, of kind: ShardKind) throws {
    let vocabulary = 0..<Token(target.configuration.vocabularySize)
    guard tokens.allSatisfy(vocabulary.contains) else {
      throw SpeculateError(
        "\(folder.path) holds tokens outside the target's vocabulary of \(vocabulary.count): make its "
          + "\(kind.name) again with '\(kind.command)'")
    }
  }

  /// Tells weights apart.
  func fingerprint() throws -> UInt64 {
    if let print { return print }
    let made = try weights.files.reduce(0) { try $0 &* 31 &+ FileFingerprint.of($1) }
    print = made
    return made
  }
}
