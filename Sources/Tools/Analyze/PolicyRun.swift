import Analysis
import ArgumentParser
import Drafter
import Files
import Foundation
import Speculate
import Tensors
import Text
import Verifier

/// Writes texts, and has every policy draft along them.
struct PolicyRun {
  let generator: TextGenerator
  let encoder: PromptEncoder
  let parameters: GenerationParameters
  /// The drafter, once in each format that is compared; a name where there are several.
  let drafters: [(name: String, drafter: BlockDrafter)]
  /// Those that were asked for; none for all.
  let denoising: [Denoising]
  let draftLength: Int?
  let choice: DraftChoice?
  /// Of a draft pass and a target pass over 8 rows, in plain steps; nil to measure.
  let costs: (draft: Double, verify: Double)?
  let promptTokens: Int?
  let hasOracle: Bool
  let looksAtTails: Bool
  let threads: Int

  /// Every policy, with the constants of its paper first.
  static let all = [
    "steps", "steps:count=64", "steps:count=64,left=1", "steps:shift=0.33", "fast-dllm",
    "fast-dllm:passes=2", "dimple", "dimple:passes=2", "left-run", "left-run:gate=1", "credit",
    "credit:across=0.3", "local-leap", "local-leap:passes=2,left=1", "sched", "sched:gate=1",
    "filter", "filter:width=1", "bandit", "hierarchy", "hierarchy:remask=1", "smoothing", "hex",
    "extend", "extend:cost=1", "adablock", "daedal", "ctrldiff",
  ]

  /// A drafter that drafts along texts.
  private struct Subject {
    let name: String
    let source: BlockDraftSource
    let passes: BlockDraftPasses
    let replay: DraftReplay
    let cost: CostModel
  }

  /// A policy with what it has learned and brought.
  private struct Player {
    /// Which drafter it plays with.
    var subject: Int
    var policy: any DenoisingPolicy
    var figures: PolicyFigures
  }

  /// The figures.
  ///
  /// - Parameter practice: Apart from the tasks, what policies learn from before they are measured; with any
  ///   they learn no more afterwards.
  /// - Throws: `SpeculateError` for models that don't fit; exit code 130 after Ctrl-C.
  func report(_ tasks: [PromptTask], practice: [PromptTask] = []) throws -> PolicyReport {
    let parameters = encoder.parameters(parameters, for: (tasks + practice).map(\.prompt))
    let texts = try write(tasks, parameters)
    let others = practice.isEmpty ? [] : try write(practice, parameters)
    let model = generator.model
    let workers = Workers(count: threads)
    let first = drafters[0].drafter
    let runner = CausalRunner(
      model: model, workers: workers, maximumRows: max(64, first.configuration.blockSize),
      taps: first.configuration.targetLayers)
    let longest = (texts + others).map { $0.text.prompt.count + $0.text.output.count }.max() ?? 1
    let capacity = longest + runner.maximumRows
    func makeSource(_ passes: BlockDraftPasses) throws -> BlockDraftSource {
      let source = try BlockDraftSource(sharing: passes, capacity: capacity)
      try source.reserve(capacity)
      return source
    }
    let subjects = try drafters.map { name, drafter in
      let passes = try BlockDraftPasses(
        drafter: drafter, target: model, workers: workers, maximumBlocks: 1,
        tokens: min(generator.tokenizer.vocabularySize, model.configuration.vocabularySize))
      let source = try makeSource(passes)
      return Subject(
        name: name, source: source, passes: passes,
        replay: DraftReplay(runner: runner, source: source),
        cost: try cost(runner, source, context: longest / 2))
    }
    let length = min(draftLength ?? .max, first.configuration.maximumDrafts)
    let oracle = hasOracle ? try DenoisingOracle(makeSource(subjects[0].passes)) : nil
    if let oracle, length > oracle.maximumDrafts {
      throw SpeculateError(
        "--oracle tries every set of drafts, which can be \(oracle.maximumDrafts) at the most: give "
          + "--draft-length \(oracle.maximumDrafts) or less")
    }
    var players = try players(subjects)
    try practise(&players, subjects, on: others, parameters, length)

    let search = oracle.map { DraftReplay(runner: runner, source: $0) }
    var profile = RowProfile()
    var tails = TailProfile()
    let progress = ProgressLine("drafting", unit: "texts", total: texts.count)
    defer { progress.clear() }
    for (number, (_, text)) in texts.enumerated() {
      let whole = text.prompt + text.output
      for (place, subject) in subjects.enumerated() {
        try subject.replay.load(text)
        for index in players.indices where players[index].subject == place {
          if index == 0, looksAtTails {
            subject.passes.productObserver = { tails.add($0) }
          }
          try play(&players[index], subject, parameters, length) { block, position in
            guard index == 0 else { return }
            profile.add(
              block, text: whole[min(position, whole.count)...],
              endTokens: model.configuration.endTokens)
          }
          subject.passes.productObserver = nil
          if Interruption.requested { throw Interruption.exitCode }
        }
      }
      if let oracle, let search {
        oracle.begin(whole)
        try search.load(text)
        _ = try rounds(search, parameters, length, subjects[0].cost)
      }
      progress.update(number + 1)
    }
    return PolicyReport(
      machine: Machine(threads: threads), texts: texts.map(\.category), practised: others.count,
      drafts: length, isMeasured: costs == nil, cost: subjects[0].cost,
      figures: players.map(\.figures),
      verifications: players.map { ($0.policy as? StepsPolicy)?.verification }, profile: profile,
      oracle: oracle.map { OracleFigures($0.blocks, costs: subjects[0].cost) },
      tails: looksAtTails ? tails : nil)
  }

  private func players(_ subjects: [Subject]) throws -> [Player] {
    // Formats are compared in one pass, unless others are asked for.
    let usual = subjects.count > 1 ? [] : Self.all
    let names = denoising.isEmpty ? usual : denoising.map(\.text)
    var players: [Player] = []
    for (place, subject) in subjects.enumerated() {
      for name in [Denoising.onePass.text] + names.filter({ $0 != Denoising.onePass.text }) {
        do {
          try subject.source.denoise(by: Denoising(name), seed: parameters.sampling.seed) {
            generator.tokenizer.lineEnds
          }
        } catch let error as SpeculateError where denoising.isEmpty {
          Output.note("\(error.description)\n")
          continue
        }
        players.append(
          Player(
            subject: place, policy: subject.source.policy,
            figures: PolicyFigures(subject.name.isEmpty ? name : "\(subject.name) \(name)")))
      }
    }
    return players
  }

  /// Lets policies learn from texts, and keeps what they learned.
  private func practise(
    _ players: inout [Player], _ subjects: [Subject], on texts: [WrittenText],
    _ parameters: GenerationParameters, _ length: Int
  ) throws {
    guard !texts.isEmpty else { return }
    let progress = ProgressLine("practising", unit: "texts", total: texts.count)
    defer { progress.clear() }
    for (number, (_, text)) in texts.enumerated() {
      for (place, subject) in subjects.enumerated() {
        try subject.replay.load(text)
        for index in players.indices
        where players[index].subject == place && players[index].policy.learns {
          subject.source.policy = players[index].policy
          _ = try rounds(subject.replay, parameters, length, subject.cost)
          players[index].policy = subject.source.policy
          if Interruption.requested { throw Interruption.exitCode }
        }
      }
      progress.update(number + 1)
    }
    for index in players.indices { players[index].policy.settle() }
  }

  private func play(
    _ player: inout Player, _ subject: Subject, _ parameters: GenerationParameters, _ length: Int,
    see: @escaping (DenoisedBlock, _ position: Int) -> Void
  ) throws {
    var blocks: [DenoisedBlock] = []
    let source = subject.source
    source.policy = player.policy
    source.observer = {
      blocks.append($0)
      see($0, source.round.position)
    }
    defer { source.observer = nil }
    let rounds = try rounds(subject.replay, parameters, length, subject.cost)
    player.policy = source.policy
    player.figures.add(rounds, cost: subject.cost)
    for block in blocks { player.figures.add(block) }
  }

  private func rounds(
    _ replay: DraftReplay, _ parameters: GenerationParameters, _ length: Int, _ cost: CostModel
  ) throws -> [DraftReplay.Round] {
    var length = DraftLength.fixed(length)
    return try replay.rounds(
      parameters: parameters, length: &length, choice: choice ?? .automatic(parameters.sampling),
      cost: cost)
  }

  private func cost(
    _ runner: CausalRunner, _ source: BlockDraftSource, context: Int
  ) throws -> CostModel {
    guard let costs else {
      return try CostModel.measure(runner: runner, source: source, context: max(1, context))
    }
    return CostModel(
      verify: PassTimes([(1, 1), (8, costs.verify)]), draft: PassTimes([(1, costs.draft)]))
  }

  /// A text by what its prompt is about.
  private typealias WrittenText = (category: String, text: DraftReplay.Text)

  /// What the target says to each prompt.
  private func write(
    _ tasks: [PromptTask], _ parameters: GenerationParameters
  ) throws -> [WrittenText] {
    let progress = ProgressLine("writing", unit: "texts", total: tasks.count)
    defer { progress.clear() }
    let context = generator.model.configuration.maximumContext
    var texts: [WrittenText] = []
    for (number, task) in tasks.enumerated() {
      let ids = try encoder.encode(task.prompt).ids
      let prompt = encoder.becomesChat(task.prompt) ? ids : Array(ids.prefix(promptTokens ?? .max))
      guard prompt.count < context else { continue }
      let result = try generator.generate(
        tokens: prompt, parameters: parameters, mode: .speculative(drafts: 7),
        isCancelled: { Interruption.requested })
      if Interruption.requested { throw Interruption.exitCode }
      progress.update(number + 1)
      // An answer that ends at once has nothing to draft.
      guard !result.tokens.isEmpty else { continue }
      texts.append((task.category, DraftReplay.Text(prompt: prompt, output: result.tokens)))
    }
    guard !texts.isEmpty else {
      throw SpeculateError(
        "no prompt leaves room in the target's context and is answered by a token; take fewer tokens of each "
          + "with --prompt-tokens, or other prompts")
    }
    return texts
  }
}
