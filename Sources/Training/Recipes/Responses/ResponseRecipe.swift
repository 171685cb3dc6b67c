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

  /// Prompts, and what the answers to them depend on.
  struct Plan {
    var options: ResponseOptions
    var prompts: PromptSource
    var settings: ResponseSettings
    /// The tokens after which an answer is over.
    var endTokens: [Token]
  }

  /// Reads the prompts.
  ///
  /// - Throws: `SpeculateError` when the prompts can't be read, answers don't fit the target's context, or
  ///   a folder was begun with others.
  func plan(_ options: ResponseOptions, folder: URL) throws -> Plan {
    try check(options)
    let prompts = try prompts(options)
    let plan = Plan(
      options: options, prompts: prompts, settings: try settings(options, prompts),
      endTokens: tokenizer.endTokens(
        of: target.configuration.endTokens, inChat: prompts.chatFingerprint != nil))
    try ResponseStore.check(folder, plan.settings)
    return plan
  }

  /// Makes the responses that are still missing.
  ///
  /// - Parameters:
  ///   - ranks: The processes that prompts are dealt out to; the first one writes.
  ///   - prepare: Called when the folder has turned out to be the one of this plan.
  ///   - shouldStop: Asked between passes; responses in the making are lost.
  /// - Returns: All responses in order, or `nil` when it was stopped before.
  func respond(
    _ plan: Plan, folder: URL, ranks: any Communicator = SingleRank(),
    prepare: () throws -> Void = {}, shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    let options = plan.options
    let store = ranks.isFirst ? try ResponseStore(folder: folder, settings: plan.settings) : nil
    try ranks.agree(on: plan.settings)
    if ranks.isFirst { try prepare() }
    var (own, others) = (0, 0)  // tokens
    return try ShardMaking(ranks: ranks, store: store, wanted: options.count).run(
      shouldStop: shouldStop,
      report: { made, response, isOwn in
        if !isOwn { others += response.continuation.count }
        report(
          ResponseProgress(
            responses: made, wanted: options.count, tokens: own + others,
            tooLongChats: plan.prompts.tooLongChats))
      },
      make: { numbers, shouldStop, emit in
        let generator = try ResponseGenerator(
          model: target, workers: workers, prompts: plan.prompts, settings: plan.settings,
          endTokens: plan.endTokens, batch: min(options.batch, numbers.count),
          drafts: try drafts(options))
        return try generator.run(
          numbers, shouldStop: shouldStop, progress: { own = $0 }, emit: emit)
      })
  }

  private func settings(
    _ options: ResponseOptions, _ prompts: PromptSource
  ) throws -> ResponseSettings {
    var data = try FileFingerprint.of(options.data.url)
    if !encoder.parsesSpecial { data = data &* 31 &+ 1 }
    return ResponseSettings(
      target: try fingerprint(),
      // What chats become depends on the template too.
      data: prompts.chatFingerprint.map { data &* 31 &+ $0 } ?? data,
      seed: options.seed, shortestPrompt: options.promptLengths.lowerBound,
      longestPrompt: options.promptLengths.upperBound, responseLength: options.length,
      temperature: options.temperature)
  }

  private func drafts(_ options: ResponseOptions) throws -> ResponseDrafts? {
    switch options.drafting {
    case .none: nil
    case .suffix: ResponseDrafts(costCache: options.costCache)
    case .drafter(let folder):
      ResponseDrafts(
        drafter: try DrafterModel(directory: folder, tokenizer: tokenizer),
        costCache: options.costCache)
    }
  }

  private func check(_ options: ResponseOptions) throws {
    let longest = options.promptLengths.upperBound + options.length
    // Features are computed of answers that end anywhere.
    guard longest <= target.configuration.evenContext else {
      throw SpeculateError(
        "prompts and responses of \(longest) tokens don't fit the target's context of "
          + "\(target.configuration.evenContext): give a smaller ‘response length’, "
          + "‘evaluation length’ or ‘longest prompt’")
    }
  }

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

  private func prompts(_ options: ResponseOptions) throws -> PromptSource {
    switch options.data {
    case .text(let url):
      return try PromptSource(
        documents: url, encoder: encoder, lengths: options.promptLengths, seed: options.seed)
    case .tokens(let url):
      return try PromptSource(
        tokens: try TokenStream(
          contentsOf: url, vocabularySize: target.configuration.vocabularySize),
        endTokens: Set(
          tokenizer.endTokens(of: target.configuration.endTokens, inChat: false)),
        lineEnd: tokenizer.id(of: "\n"),
        lengths: options.promptLengths, seed: options.seed)
    }
  }
}
