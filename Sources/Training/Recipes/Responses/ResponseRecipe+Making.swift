import Files
import Foundation
import Speculate
import Tensors

extension ResponseRecipe {
  /// Responses that are made before the target writes prompts for the next ones.
  private static var block: Int { 2048 }

  /// Makes the responses that are still missing, and the prompts that they need.
  ///
  /// - Parameters:
  ///   - ranks: The processes that prompts are dealt out to; the first one writes. Where the target writes
  ///     prompts, it does all.
  ///   - prepare: Called when the folder has turned out to be the one of this plan.
  ///   - shouldStop: Asked between passes; responses in the making are lost.
  /// - Returns: All responses in order, or `nil` when it was stopped before.
  func respond(
    _ plan: Plan, folder: URL, ranks: any Communicator = SingleRank(),
    prepare: () throws -> Void = {}, shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    try ranks.agree(on: plan.settings)
    guard let written = plan.prompts.written else {
      let store = ranks.isFirst ? try ResponseStore(folder: folder, settings: plan.settings) : nil
      if ranks.isFirst { try prepare() }
      return try deal(plan, store, ranks, shouldStop: shouldStop, report: report)
    }
    let all =
      ranks.isFirst
      ? try respond(
        plan, written, folder: folder, prepare: prepare, shouldStop: shouldStop, report: report)
      : nil
    guard try ranks.broadcast(all != nil) else { return nil }
    return try ranks.share { all ?? [] }
  }

  /// Makes the responses that are still missing on all ranks.
  private func deal(
    _ plan: Plan, _ store: ResponseStore?, _ ranks: any Communicator, shouldStop: () -> Bool,
    report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    let options = plan.options
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
          model: target, workers: workers, tasks: plan, batch: min(options.batch, numbers.count),
          drafts: try drafts(options))
        return try generator.run(
          numbers, shouldStop: shouldStop, progress: { own = $0 }, emit: emit)
      })
  }

  /// Makes prompts and responses in turn, by this process.
  private func respond(
    _ plan: Plan, _ written: WrittenPrompts, folder: URL, prepare: () throws -> Void,
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    let count = plan.options.count
    let store = try ResponseStore(folder: folder, settings: plan.settings)
    try prepare()
    let missing = store.missing(below: count).reduce(0) { $0 + $1.count }
    var progress = ResponseProgress(
      responses: count - missing, wanted: count, tokens: 0,
      tooLongChats: plan.prompts.tooLongChats)
    let answers = Making(
      store: store, tasks: plan, batch: min(plan.options.batch, max(missing, 1)),
      drafts: try drafts(plan.options), make: { $0 })
    let promptStore = try WrittenPromptStore(
      folder: Self.promptFolder(in: folder), settings: written.writing.settings)
    let prompts = Making(
      store: promptStore, tasks: written.writing, batch: plan.options.batch,
      drafts: try drafts(plan.options), make: written.writing.prompt)
    for start in stride(from: 0, to: count, by: Self.block) {
      let end = min(start + Self.block, count)
      let isWritten = try written.reach(
        plan.prompts.writtenCount(below: end), store: promptStore
      ) { wanted in
        let missing = promptStore.missing(below: wanted).reduce(0) { $0 + $1.count }
        progress.writing = .init(written: wanted - missing, wanted: wanted)
        return try complete(prompts, below: wanted, shouldStop: shouldStop) { made, tokens in
          progress.writing?.written += made
          progress.tokens += tokens
          if made > 0 { report(progress) }
        }
      }
      guard isWritten else { return nil }
      (progress.writing, progress.prompts) = (nil, written.counts)
      let isComplete = try complete(answers, below: end, shouldStop: shouldStop) { made, tokens in
        progress.responses += made
        progress.tokens += tokens
        if made > 0 { report(progress) }
      }
      guard isComplete else { return nil }
    }
    try promptStore.seal(noting: written.counts.named)
    try store.seal()
    report(progress)
    return store.elements(below: count)
  }

  /// What is made of a target's outputs, and where it is kept.
  private final class Making<Element: ShardElement> {
    let store: ShardStore<Element>
    let tasks: any ResponseTasks
    let batch: Int
    let drafts: ResponseDrafts?
    let make: (Response) -> Element
    private var generator: ResponseGenerator?

    init(
      store: ShardStore<Element>, tasks: any ResponseTasks, batch: Int, drafts: ResponseDrafts?,
      make: @escaping (Response) -> Element
    ) {
      self.store = store
      self.tasks = tasks
      self.batch = batch
      self.drafts = drafts
      self.make = make
    }

    /// The memory of the outputs, once something is missing.
    func generator(_ recipe: ResponseRecipe) throws -> ResponseGenerator {
      if let generator { return generator }
      let made = try ResponseGenerator(
        model: recipe.target, workers: recipe.workers, tasks: tasks, batch: batch, drafts: drafts)
      generator = made
      return made
    }
  }

  /// Makes what a store lacks below a number.
  ///
  /// - Parameter report: Told how many elements and tokens more there are.
  /// - Returns: Whether all is there.
  private func complete<Element>(
    _ making: Making<Element>, below count: Int, shouldStop: () -> Bool,
    report: (_ made: Int, _ tokens: Int) -> Void
  ) throws -> Bool {
    let missing = making.store.missing(below: count).flatMap(Array.init)
    guard !missing.isEmpty else { return true }
    var (made, known) = (0, 0)
    let isComplete = try making.generator(self).run(
      missing, shouldStop: shouldStop,
      progress: { tokens in
        report(0, tokens - known)
        known = tokens
      },
      emit: { response, number in
        try making.store.add(making.make(response), number: number)
        made += 1
        if made % 64 == 0 { try making.store.flush() }
        report(1, 0)
      })
    try making.store.flush()
    return isComplete
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
}
