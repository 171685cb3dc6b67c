import Files
package import Foundation
import Speculate
package import Tensors
import Text
import Verifier

/// Lets a target answer prompts, into a folder of shards that can be interrupted at any moment.
package final class ResponseRecipe {
  let target: CausalModel
  let encoder: ChatEncoder
  let checkpoint: Checkpoint
  let workers: Workers

  package init(target directory: URL, workers: Workers) throws {
    target = try CausalModel(directory: directory)
    checkpoint = try Checkpoint(directory: directory)
    encoder = ChatEncoder(
      directory: directory, tokenizer: try TokenizerLoader.load(directory: directory))
    self.workers = workers
  }

  var tokenizer: any Tokenizer { encoder.tokenizer }

  /// Makes the responses that are still missing.
  ///
  /// - Parameters:
  ///   - prepare: Called when the folder has turned out to be the one of these options.
  ///   - shouldStop: Asked between passes; responses in the making are lost.
  /// - Returns: All responses in order, or `nil` when it was stopped before.
  package func run(
    _ options: ResponseOptions, folder: URL, prepare: () throws -> Void = {},
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    try check(options)
    let prompts = try prompts(options)
    let settings = try settings(options, prompts)
    let store = try ResponseStore(folder: folder, settings: settings)
    try prepare()
    let missing = store.missing(below: options.count)
    if !missing.isEmpty {
      let wanted = missing.reduce(0) { $0 + $1.count }
      let generator = try ResponseGenerator(
        model: target, workers: workers, prompts: prompts, settings: settings,
        batch: min(options.batch, wanted), drafts: try drafts(options))
      var (made, earlier, current) = (options.count - wanted, 0, 0)
      for numbers in missing {
        earlier += current
        let complete = try generator.run(
          numbers, shouldStop: shouldStop, progress: { current = $0 },
          emit: { response in
            try store.append(response)
            made += 1
            if made % 64 == 0 { try store.flush() }
            report(
              ResponseProgress(
                responses: made, wanted: options.count, tokens: earlier + current,
                tooLongChats: prompts.tooLongChats))
          })
        try store.flush()
        guard complete else { return nil }
      }
    }
    // An interruption may have come between the last response and this.
    try store.seal()
    return store.elements(below: options.count)
  }

  /// What the responses of some options depend on.
  private func settings(
    _ options: ResponseOptions, _ prompts: PromptSource
  ) throws -> ResponseSettings {
    let data = try FileFingerprint.of(options.data.url)
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

  /// Says whether responses fit the target.
  func check(_ options: ResponseOptions) throws {
    let longest = options.promptLengths.upperBound + options.length
    guard longest <= target.configuration.maximumContext else {
      throw SpeculateError(
        "prompts and responses of \(longest) tokens don't fit the target's context of "
          + "\(target.configuration.maximumContext): give a smaller ‘response length’, "
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
    return try store.all()
  }

  /// Tells weights apart.
  func fingerprint() throws -> UInt64 {
    try checkpoint.files.reduce(0) { try $0 &* 31 &+ FileFingerprint.of($1) }
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
        endTokens: Set(target.configuration.endTokens), lineEnd: tokenizer.id(of: "\n"),
        lengths: options.promptLengths, seed: options.seed)
    }
  }
}
