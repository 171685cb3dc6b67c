import ArgumentParser
import Drafter
import Foundation
import Speculate
import Tensors
import Verifier

/// Measures rounds on this machine and replays outputs, to foretell the speed of every choice.
struct AdviceRun {
  let target: URL
  let drafters: [URL]
  let formats: [WeightFormat?]
  let outputs: RecordedOutputs
  let threads: Int

  /// Texts that rounds are measured on, tokens of each, and how often.
  private static let measuredTexts = 6
  private static let measuredTokens = 48

  /// The advice.
  ///
  /// - Throws: `SpeculateError` for a folder that can't be used; exit code 130 after Ctrl-C.
  func advice() throws -> Advice {
    let tokenizer = try TokenizerLoader.load(directory: target)
    var options: [Advice.Option] = []
    for format in formats {
      let model = try CausalModel(directory: target, weights: WeightFormatChoice(layers: format))
      for url in drafters {
        let drafter = try BlockDrafter(directory: url)
        let generator = try TextGenerator(
          model: model, tokenizer: tokenizer, drafter: drafter, threads: threads)
        let plain = try TextGenerator(model: model, tokenizer: tokenizer, threads: threads)
        let cost = try measure(generator, plain: plain, name: model.formats.layers.rawValue)
        let made = try replay(model, drafter, url: url, cost: cost)
        // Plain decoding is the same with every drafter.
        options += made.dropFirst(options.contains { $0.format == made[0].format } ? 1 : 0)
      }
    }
    return Advice(
      machine: Machine(threads: threads), temperature: outputs.parameters.sampling.temperature,
      texts: outputs.texts.count, options: options)
  }

  /// What rounds of every width cost, by short generations of every draft length in turn.
  private func measure(
    _ generator: TextGenerator, plain: TextGenerator, name: String
  ) throws -> (rounds: CostModel, plain: Double) {
    let most = (generator.drafter?.configuration.blockSize ?? 2) - 1
    let texts = outputs.sample(Self.measuredTexts)
    let progress = ProgressLine(
      "measuring \(name)", unit: "generations", total: texts.count * (most + 2))
    var rounds: [RoundRecord] = []
    var plainRounds: [RoundRecord] = []
    var done = 0
    for (index, text) in ([texts[0]] + texts).enumerated() {
      for length in 0...most {
        var parameters = outputs.parameters
        parameters.maximumTokens = min(Self.measuredTokens, parameters.maximumTokens)
        // The first text only warms up.
        if index == 0 { parameters.maximumTokens = min(8, parameters.maximumTokens) }
        let collector = RoundCollector()
        // The middle of an output is where most of its tokens are generated.
        let prompt = text.prompt + text.output.prefix(text.output.count / 2)
        try (length == 0 ? plain : generator).generate(
          tokens: prompt, parameters: parameters,
          mode: length == 0 ? .plain : .speculative(drafts: length, choice: outputs.choice),
          observer: collector, isCancelled: { Interruption.requested })
        if Interruption.requested {
          progress.clear()
          throw Interruption.exitCode
        }
        guard index > 0 else { continue }
        if length == 0 {
          plainRounds += collector.rounds
        } else {
          // The first round of a generation also projects the whole prompt.
          rounds += collector.rounds.dropFirst().filter { $0.drafted == length }
        }
        done += 1
        progress.update(done)
      }
    }
    progress.clear()
    guard let cost = CostModel(averaging: rounds + plainRounds), !plainRounds.isEmpty else {
      throw SpeculateError("the trace's outputs are too short to measure on; trace longer ones")
    }
    let seconds = plainRounds.reduce(0) { $0 + $1.seconds.total } / Double(plainRounds.count)
    return (cost, seconds)
  }

  /// What every draft length would have brought on the recorded outputs.
  private func replay(
    _ model: CausalModel, _ drafter: BlockDrafter, url: URL,
    cost: (rounds: CostModel, plain: Double)
  ) throws -> [Advice.Option] {
    let workers = Workers(count: threads)
    let longest = outputs.texts.map { $0.prompt.count + $0.output.count }.max() ?? 1
    let runner = CausalRunner(
      model: model, workers: workers, maximumRows: max(64, drafter.configuration.blockSize),
      taps: drafter.configuration.targetLayers)
    let source = try BlockDraftSource(
      drafter: drafter, target: model, workers: workers, capacity: longest)
    let replay = DraftReplay(runner: runner, source: source)
    let choice = outputs.choice ?? .automatic(outputs.parameters.sampling)
    var lengths: [DraftLength] =
      (1...source.maximumDrafts).map { .fixed($0) }
      + [.adaptive(AdaptiveDraftLength(cost.rounds))]
    var terms = lengths.map { _ in [(tokens: Double, seconds: Double, rounds: Double)]() }
    let progress = ProgressLine("replaying", unit: "outputs", total: outputs.texts.count)
    for (done, text) in outputs.texts.enumerated() {
      try replay.load(text)
      for index in lengths.indices {
        let rounds = replay.rounds(
          parameters: outputs.parameters, length: &lengths[index], choice: choice,
          cost: cost.rounds)
        terms[index].append(
          (Double(text.output.count), cost.rounds.seconds(of: rounds), Double(rounds.count)))
      }
      if Interruption.requested {
        progress.clear()
        throw Interruption.exitCode
      }
      progress.update(done + 1)
    }
    progress.clear()
    let name = url.lastPathComponent
    let plain = Advice.Option(
      drafter: nil, format: model.formats.layers.rawValue, drafts: 0, tau: 1,
      tokensPerSecond: 1 / cost.plain,
      interval: nil, speedup: 1)
    return [plain]
      + zip(lengths, terms).map { length, terms in
        Advice.Option(
          length, terms, drafter: name, path: url.path, format: model.formats.layers.rawValue,
          plain: 1 / cost.plain)
      }
  }
}
