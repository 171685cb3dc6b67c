import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate
import Tensors
import Verifier

/// Measures rounds on this machine, replays outputs and tries the best ways of decoding, to foretell
/// the speed of every choice.
struct AdviceRun {
  let target: URL
  let drafters: [URL]
  /// Whether matches in the text so far are tried as the only source of drafts.
  let looksUp: Bool
  let formats: [WeightFormat]
  let outputs: RecordedOutputs
  let threads: Int

  /// Texts that rounds are measured on, and tokens of each.
  private static let measuredTexts = 6
  private static let measuredTokens = 48
  private static let triedTexts = 16
  /// How many of the replayed ways are tried.
  private static let tried = 3

  /// The advice.
  ///
  /// - Throws: `SpeculateError` for a folder that can't be used; exit code 130 after Ctrl-C.
  func advice() throws -> Advice {
    let stored = try CausalModel.storedFormats(directory: target).layers
    let options = try formats.enumerated().flatMap { index, format in
      try self.options(
        ConfigurationGrid(
          target: target, ways: ways(), formats: [format == stored ? nil : format],
          parameters: [outputs.parameters], threads: threads, saysNotices: index == 0
        ).configurations())
    }
    return Advice(
      machine: Machine(threads: threads), temperature: outputs.parameters.sampling.temperature,
      texts: outputs.texts(formats[0].rawValue).count, stored: stored.rawValue, options: options)
  }

  /// Every way of decoding that can be told apart by the options of `generate`.
  private func ways() throws -> [DecodingWay] {
    func draft(_ drafter: URL?, _ length: Int? = nil, suffix: Bool? = nil) -> DecodingWay {
      .draft(.init(drafter: drafter, length: length, choice: outputs.choice, suffix: suffix))
    }
    let drafting = try drafters.flatMap { drafter in
      let longest = try DrafterModel.maximumDrafts(directory: drafter)
      return [draft(drafter), draft(drafter, suffix: false)]
        + (1...max(1, longest)).map { draft(drafter, $0) }
        + (1...max(1, longest)).map { draft(drafter, $0, suffix: true) }
    }
    return drafting + (looksUp ? [draft(nil)] : []) + [.jacobi(JacobiOptions())]
  }

  // MARK: One format

  private func options(_ configurations: [RunConfiguration]) throws -> [Advice.Option] {
    let format = configurations[0].description.format
    let texts = outputs.texts(format)
    let costs = try measure(configurations, texts, format)
    var options = try replay(configurations, texts, costs)
    try correct(&options, configurations, texts)
    return options
  }

  /// What rounds of every width cost with each drafter, by short generations of every length in turn.
  private func measure(
    _ configurations: [RunConfiguration], _ texts: [DraftReplay.Text], _ format: String
  ) throws -> [URL?: CostModel] {
    let measured = configurations.filter { configuration in
      guard case .draft(let drafting) = configuration.way else {
        return configuration.way == .plain
      }
      return drafting.drafter == nil || drafting.length == nil || !drafting.looksUp
    }
    let trials = RoundTrials(
      configurations: measured, texts: RecordedOutputs.spread(texts, Self.measuredTexts),
      title: "measuring \(format)")
    // The middle of an output is where most of its tokens are generated.
    let outcomes = try trials.run(
      prompt: { $0.prompt + $0.output.prefix($0.output.count / 2) }, tokens: Self.measuredTokens)
    var rounds: [URL?: [RoundRecord]] = [:]
    for (configuration, outcome) in zip(measured, outcomes) {
      rounds[configuration.way.drafter, default: []] += outcome.rounds
    }
    let plain = rounds[nil, default: []]
    var costs: [URL?: CostModel] = [:]
    for (drafter, own) in rounds {
      // Passes without drafts are the same with every drafter.
      costs[drafter] = CostModel(fitting: drafter == nil ? plain : own + plain)
    }
    guard !plain.isEmpty, costs.count == rounds.count else {
      throw SpeculateError("the trace's outputs are too short to measure on; trace longer ones")
    }
    return costs
  }

  /// What every way of drafting would have brought on the recorded outputs.
  private func replay(
    _ configurations: [RunConfiguration], _ texts: [DraftReplay.Text], _ costs: [URL?: CostModel]
  ) throws -> [Advice.Option] {
    let drafters = Set(configurations.map(\.way.drafter))
    let progress = ProgressLine("replaying", unit: "outputs", total: drafters.count * texts.count)
    defer { progress.clear() }
    var terms = configurations.map { _ in [Advice.Term]() }
    for (turn, drafter) in drafters.enumerated() {
      let members = configurations.indices.filter { configurations[$0].way.drafter == drafter }
      guard let first = members.first, let cost = costs[drafter] else { continue }
      let replay = try makeReplay(configurations[first].generator, texts)
      var lengths: [Int: DraftLength] = [:]
      for (number, text) in texts.enumerated() {
        try replay.load(text)
        for index in members {
          guard case .draft(let drafting) = configurations[index].way else { continue }
          var length =
            lengths[index] ?? drafting.length.map(DraftLength.fixed)
            ?? .adaptive(AdaptiveDraftLength(cost))
          let rounds = try replay.rounds(
            parameters: outputs.parameters, length: &length,
            choice: drafting.choice ?? .automatic(outputs.parameters.sampling),
            suffix: drafting.looksUp, branches: drafting.usedBranches, cost: cost)
          lengths[index] = length
          terms[index].append(
            Advice.Term(
              tokens: text.output.count, rounds: rounds.count, seconds: cost.seconds(of: rounds)))
        }
        if Interruption.requested { throw Interruption.exitCode }
        progress.update(turn * texts.count + number + 1)
      }
    }
    let step = costs[nil]?.verify(1) ?? 0
    let plain = texts.map {
      Advice.Term(
        tokens: $0.output.count, rounds: $0.output.count, seconds: Double($0.output.count) * step)
    }
    return try zip(configurations, terms).map { configuration, terms in
      Advice.Option(
        name: configuration.description.name, way: configuration.way,
        format: configuration.description.format,
        terms: configuration.way == .plain ? plain : terms, command: try command(configuration))
    }
  }

  private func makeReplay(
    _ generator: TextGenerator, _ texts: [DraftReplay.Text]
  ) throws -> DraftReplay {
    let workers = Workers(count: threads)
    let longest = texts.map { $0.prompt.count + $0.output.count }.max() ?? 1
    let runner = CausalRunner(
      model: generator.model, workers: workers,
      maximumRows: max(64, (generator.drafter?.maximumDrafts ?? 0) + 1),
      taps: generator.drafter?.taps ?? [])
    let source = try generator.drafter?.makeSource(
      target: generator.model, workers: workers, capacity: longest,
      tokens: generator.tokenizer.vocabularySize)
    return DraftReplay(runner: runner, source: source)
  }

  // MARK: Trying the best

  /// Runs plain decoding, what can't be replayed, and the best of the rest, and corrects what was
  /// foretold by what they show.
  private func correct(
    _ options: inout [Advice.Option], _ configurations: [RunConfiguration],
    _ texts: [DraftReplay.Text]
  ) throws {
    let replayed = options.indices.filter {
      configurations[$0].way != .plain && !options[$0].terms.isEmpty
    }
    let fastest = replayed.sorted { options[$0].rate > options[$1].rate }.prefix(Self.tried)
    let chosen = options.indices.filter {
      fastest.contains($0) || options[$0].isUsual || !replayed.contains($0)
    }
    let texts = RecordedOutputs.spread(texts, Self.triedTexts)
    let outcomes = try RoundTrials(
      configurations: chosen.map { configurations[$0] }, texts: texts, title: "trying"
    ).run(prompt: \.prompt, tokens: outputs.parameters.maximumTokens)
    for (index, outcome) in zip(chosen, outcomes) {
      options[index].trial = Advice.Trial(
        texts: outcome.seconds.count, tokens: outcome.tokens, passes: outcome.passes,
        seconds: outcome.seconds.reduce(0, +))
    }
    let all = options[chosen[0]].terms.count
    let places = (0..<texts.count).map { $0 * all / texts.count }
    Advice.Option.correct(&options, places: Array(places.prefix(outcomes[0].seconds.count)))
  }

  // MARK: The command

  /// The command that runs a choice on outputs like the recorded ones.
  private func command(_ configuration: RunConfiguration) throws -> String {
    let locator = WeightsLocator()
    var words = ["speculate", "generate"]
    if (try? locator.folder("target"))?.standardizedFileURL.path != target.standardizedFileURL.path
    {
      words += ["--target", target.path]
    }
    words += configuration.way.arguments(embedded: DrafterSource.embedded(for: target))
    if let format = configuration.chosenFormat { words += ["--weights", format.rawValue] }
    let sampling = outputs.parameters.sampling
    let usual = SamplingParameters.greedy
    func add(_ name: String, _ value: some Equatable, _ usual: some Equatable) {
      if "\(value)" != "\(usual)" { words += [name, "\(value)"] }
    }
    add("--max-tokens", outputs.parameters.maximumTokens, SamplingOptions.usualMaxTokens)
    add("--temperature", sampling.temperature, usual.temperature)
    if !sampling.isGreedy {
      add("--top-k", sampling.topK, usual.topK)
      add("--top-p", sampling.topP, usual.topP)
      add("--min-p", sampling.minP, usual.minP)
    }
    add("--repetition-penalty", sampling.repetitionPenalty, usual.repetitionPenalty)
    add("--seed", sampling.seed, usual.seed)
    if outputs.parameters.endTokens != nil { words.append("--chat") }
    if outputs.parameters.ignoresEnd { words.append("--ignore-end") }
    add("--threads", threads, Workers.defaultCount)
    return (words + ["--prompt", "…"]).map(Self.quoted).joined(separator: " ")
  }

  /// A word as a shell takes it.
  private static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./:,=+@%…".contains($0) }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
