import Files
import Analysis
import Speculate

/// Continues prompts one after another and shows the text as it comes.
struct GenerationRun {
  let generator: TextGenerator
  let prompts: [EncodedPrompt]
  let parameters: GenerationParameters
  let mode: DecodingMode
  let echo: Bool
  let json: Bool
  let stats: Bool
  var trace: TraceWriter?

  /// Runs all prompts, or as many as Ctrl-C lets it.
  func run() throws {
    var all = GenerationStatistics()
    var finished = 0
    for (index, prompt) in prompts.enumerated() where !Interruption.requested {
      let result = try generate(prompt, number: index + 1)
      all += result.statistics
      finished += 1
      if stats && !json || Interruption.requested && !json {
        report(result.statistics, ending(result))
      }
    }
    if finished > 1 && !json && (stats || Interruption.requested) {
      report(all, "\(finished) of \(prompts.count) prompts in all")
    }
    Interruption.finish()
    try trace?.finish()
    if Interruption.requested { throw Interruption.exitCode }
  }

  private func generate(_ prompt: EncodedPrompt, number: Int) throws -> GenerationResult {
    let sink = TextSink()
    if !json {
      if prompts.count > 1 {
        sink.write("\(number > 1 ? "\n" : "")--- [\(number)/\(prompts.count)] \(prompt.place)\n")
      }
      if echo { sink.write(prompt.text) }
    }
    let collector = trace.map { _ in RoundCollector() }
    let result = try generator.generate(
      tokens: prompt.ids, parameters: parameters, mode: mode, observer: collector,
      onText: { if !json { sink.write($0) } }, isCancelled: { sink.isDone })
    try sink.endLine()
    if let collector { try record(prompt, number: number, collector.generation(result)) }
    if json { try Output.json(GenerationRecord(prompt, result)) }
    Output.notices(result.notices)
    if parameters.constraint != nil, [.length, .context].contains(result.finishReason) {
      Output.note(
        "note: the output is not complete: \(ending(result)) before its grammar let it end; "
          + "raise --max-tokens\n")
    }
    return result
  }

  private func record(_ prompt: EncodedPrompt, number: Int, _ generation: TracedGeneration) throws {
    try trace?.write(
      TraceUnit(
        prompts: [
          TracePrompt(
            number: number - 1, task: number - 1, category: "prompts", place: prompt.place,
            ids: prompt.ids)
        ],
        entries: [
          TraceEntry(configuration: 0, prompt: number - 1, repetition: 0, generation: generation)
        ]))
  }

  private func ending(_ result: GenerationResult) -> String {
    switch result.finishReason {
    case .endToken: "ended by an end token"
    case .stopString: "ended by a stop string"
    case .length: "ended by the token limit"
    case .context: "ended by the context, which is full"
    case .cancelled: "interrupted"
    }
  }

  private func report(_ statistics: GenerationStatistics, _ title: String) {
    Output.note(StatisticsReport.lines(statistics, title: title).joined(separator: "\n") + "\n")
  }
}

/// What `--json` says of one generation.
struct GenerationRecord: Encodable {
  var place: String
  var prompt: String
  var text: String
  var ids: [Token]
  var finish: FinishReason
  var tau: Double
  var tokensPerSecond: Double
  var endsInLoop: Bool
  var statistics: GenerationStatistics

  init(_ source: EncodedPrompt, _ result: GenerationResult) {
    place = source.place
    prompt = source.text
    text = result.text
    ids = result.tokens
    finish = result.finishReason
    tau = result.statistics.tau
    tokensPerSecond = result.statistics.tokensPerSecond
    endsInLoop = LoopDetector().endsInLoop(result.tokens)
    statistics = result.statistics
  }
}
