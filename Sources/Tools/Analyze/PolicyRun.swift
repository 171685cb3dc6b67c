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
  /// Those that were asked for; none for all.
  let denoising: [Denoising]
  let draftLength: Int?
  let choice: DraftChoice?
  /// Of a draft pass and a target pass over 8 rows, in plain steps; nil to measure.
  let costs: (draft: Double, verify: Double)?
  let promptTokens: Int?
  let hasOracle: Bool
  let threads: Int

  /// Every policy, with the constants of its paper first.
  static let all = [
    "steps", "steps:count=64", "steps:count=64,left=1", "steps:shift=0.33", "fast-dllm",
    "fast-dllm:passes=2", "dimple", "dimple:passes=2", "left-run", "left-run:gate=1", "credit",
    "credit:across=0.3", "local-leap", "local-leap:passes=2,left=1", "sched", "sched:gate=1",
    "filter", "filter:width=1", "bandit", "hierarchy", "hierarchy:remask=1", "smoothing", "hex",
    "extend", "extend:cost=1", "adablock", "daedal", "ctrldiff",
  ]

  /// The figures.
  ///
  /// - Throws: `SpeculateError` for models that don't fit; exit code 130 after Ctrl-C.
  func report(_ tasks: [PromptTask]) throws -> PolicyReport {
    let model = generator.model
    guard case .block(let drafter)? = generator.drafter else {
      throw SpeculateError(
        "policies denoise the blocks of a block drafter, and this one is a causal model: give another "
          + "with --drafter")
    }
    let parameters = encoder.parameters(parameters, for: tasks.map(\.prompt))
    let texts = try write(tasks, parameters)
    let workers = Workers(count: threads)
    let runner = CausalRunner(
      model: model, workers: workers, maximumRows: max(64, drafter.configuration.blockSize),
      taps: drafter.configuration.targetLayers)
    let longest = texts.map { $0.prompt.count + $0.output.count }.max() ?? 1
    let passes = try BlockDraftPasses(
      drafter: drafter, target: model, workers: workers, maximumBlocks: 1,
      tokens: min(generator.tokenizer.vocabularySize, model.configuration.vocabularySize))
    func source() throws -> BlockDraftSource {
      let source = try BlockDraftSource(sharing: passes, capacity: longest + runner.maximumRows)
      try source.reserve(longest + runner.maximumRows)
      return source
    }
    let drafting = try source()
    let cost = try cost(runner, drafting, context: longest / 2)
    var players = try players(drafting)
    let replay = DraftReplay(runner: runner, source: drafting)
    let oracle = hasOracle ? try DenoisingOracle(source()) : nil
    let search = oracle.map { DraftReplay(runner: runner, source: $0) }
    let length = min(draftLength ?? .max, drafter.configuration.maximumDrafts)
    if let oracle, length > oracle.maximumDrafts {
      throw SpeculateError(
        "--oracle tries every set of drafts, which can be \(oracle.maximumDrafts) at the most: give "
          + "--draft-length \(oracle.maximumDrafts) or less")
    }
    var profile = RowProfile()
    let progress = ProgressLine("drafting", unit: "texts", total: texts.count)
    defer { progress.clear() }
    for (number, text) in texts.enumerated() {
      try replay.load(text)
      let whole = text.prompt + text.output
      for index in players.indices {
        try play(&players[index], drafting) { block, position in
          if index == 0 { profile.add(block, text: whole[min(position, whole.count)...]) }
        } rounds: {
          try rounds(replay, parameters, length, cost)
        } cost: {
          cost
        }
        if Interruption.requested { throw Interruption.exitCode }
      }
      if let oracle, let search {
        oracle.begin(whole)
        try search.load(text)
        _ = try rounds(search, parameters, length, cost)
      }
      progress.update(number + 1)
    }
    return PolicyReport(
      machine: Machine(threads: threads), texts: texts.count, drafts: length,
      isMeasured: costs == nil, cost: cost, figures: players.map(\.figures), profile: profile,
      oracle: oracle.map { OracleFigures($0.blocks, costs: cost) })
  }

  /// A policy with what it has learned and brought.
  private struct Player {
    var policy: any DenoisingPolicy
    var figures: PolicyFigures
  }

  private func players(_ source: BlockDraftSource) throws -> [Player] {
    let names = denoising.isEmpty ? Self.all : denoising.map(\.text)
    var players: [Player] = []
    for name in [Denoising.onePass.text] + names.filter({ $0 != Denoising.onePass.text }) {
      do {
        try source.denoise(by: Denoising(name), seed: parameters.sampling.seed) {
          generator.tokenizer.lineEnds
        }
      } catch let error as SpeculateError where denoising.isEmpty {
        Output.note("\(error.description)\n")
        continue
      }
      players.append(Player(policy: source.policy, figures: PolicyFigures(name)))
    }
    return players
  }

  private func play(
    _ player: inout Player, _ source: BlockDraftSource,
    see: @escaping (DenoisedBlock, _ position: Int) -> Void,
    rounds: () throws -> [DraftReplay.Round], cost: () -> CostModel
  ) throws {
    var blocks: [DenoisedBlock] = []
    source.policy = player.policy
    source.observer = {
      blocks.append($0)
      see($0, source.round.position)
    }
    defer { source.observer = nil }
    let rounds = try rounds()
    player.policy = source.policy
    player.figures.add(rounds, cost: cost())
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

  /// What the target says to each prompt.
  private func write(
    _ tasks: [PromptTask], _ parameters: GenerationParameters
  ) throws -> [DraftReplay.Text] {
    let progress = ProgressLine("writing", unit: "texts", total: tasks.count)
    defer { progress.clear() }
    let context = generator.model.configuration.maximumContext
    var texts: [DraftReplay.Text] = []
    for (number, task) in tasks.enumerated() {
      let ids = try encoder.encode(task.prompt).ids
      let prompt = encoder.becomesChat(task.prompt) ? ids : Array(ids.prefix(promptTokens ?? .max))
      guard prompt.count < context else { continue }
      let result = try generator.generate(
        tokens: prompt, parameters: parameters, mode: .speculative(drafts: 7),
        isCancelled: { Interruption.requested })
      if Interruption.requested { throw Interruption.exitCode }
      texts.append(DraftReplay.Text(prompt: prompt, output: result.tokens))
      progress.update(number + 1)
    }
    guard !texts.isEmpty else {
      throw SpeculateError(
        "the target's context has no room for any of the prompts; take fewer tokens of each with "
          + "--prompt-tokens")
    }
    return texts
  }
}
