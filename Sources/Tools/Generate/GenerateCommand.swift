import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generate text from prompts, or compare both ways of decoding.",
    discussion: """
      The text goes to standard output as it is generated, everything else to standard error. The \
      same target, prompt, sampling options and seed give the same tokens, whatever drafts and \
      however many threads work.
      """)

  @OptionGroup(title: "Prompts") var prompts: PromptOptions
  @OptionGroup(title: "Prompts") var chat: ChatFlags
  @OptionGroup(title: "Prompts") var template: ChatTemplateFlags
  @OptionGroup(title: "Models") var target: TargetOptions
  @OptionGroup(title: "Models") var drafter: DrafterOptions
  @OptionGroup(title: "Models") var weights: WeightOptions
  @OptionGroup(title: "Models") var cache: CacheOptions
  @OptionGroup(title: "Models") var threads: ThreadOptions
  @OptionGroup(title: "Output") var sampling: SamplingOptions
  @OptionGroup(title: "Output") var constraint: ConstraintFlags
  @OptionGroup(title: "Drafting") var drafting: DraftOptions
  @OptionGroup(title: "Drafting") var scaffold: ScaffoldOption
  @OptionGroup(title: "Drafting") var rule: VerificationOptions
  @OptionGroup(title: "Jacobi decoding") var jacobi: JacobiFlags
  @Option(
    """
    What decodes: 'draft' with the drafter, or 'jacobi' by the target's iteration on its own \
    guesses, without a drafter.
    """)
  var decoder = DecoderChoice.draft
  @Flag(
    help: """
      Print the prompt before its continuation; of a comparison, both continuations, side by side.
      """)
  var echo = false
  @Flag(help: "Say what happened: rounds, acceptance, times.") var stats = false
  @Flag(help: "Print JSON instead of text: one object a prompt, or one for a whole comparison.")
  var json = false
  @Option(
    "Write every round to this file, .jsonl or .jsonl.zst, for 'speculate analyze'.", value: "file")
  var trace: String?
  @Flag(help: "Run plain and speculative decoding in turn, and compare ids and speed.")
  var compare = false
  @Option(
    "Runs of each kind for every prompt of a comparison; medians count. (default: 3)", value: "n")
  var repeats: Int?

  func validate() throws {
    try checkDecoder()
    if compare && drafter.drafter == DrafterChoice.none && decoder == .draft {
      throw ValidationError("--compare needs a drafter: leave out --drafter none")
    }
    try drafting.check(drafter)
    try rule.check(sampling, drafting)
    if compare && rule.samples(sampling.parameters) {
      throw ValidationError(
        "--compare compares ids, which --verification \(rule.verification?.rawValue ?? "") doesn't keep: leave "
          + "one of them out, or use 'speculate bench decode'")
    }
    if compare && trace != nil {
      throw ValidationError(
        "--trace records one way of decoding: leave out --compare, or use "
          + "'speculate analyze run', which records both")
    }
    if constraint.isGiven && sampling.filters.ignoreEnd {
      throw ValidationError(
        "--ignore-end means nothing for an output that is held to a grammar: leave it out")
    }
    if constraint.isGiven && trace != nil {
      throw ValidationError(
        "--trace records no grammar: leave it out, or the grammar")
    }
    if repeats != nil && !compare {
      throw ValidationError("--repeats belongs to --compare: give both")
    }
    try OptionCheck.range("--repeats", repeats, 1...1000)
  }

  private func checkDecoder() throws {
    guard decoder == .jacobi else {
      if jacobi.isGiven {
        throw ValidationError("the --jacobi options belong to --decoder jacobi: give it too")
      }
      return
    }
    if let drafter = drafter.drafter, drafter != .none {
      throw ValidationError("--decoder jacobi uses no drafter: leave out --drafter")
    }
    if drafting.draftLength != nil || drafting.rule.draftChoice != nil || drafting.recycling != nil
      || drafting.branches != nil || drafting.denoising != nil
    {
      throw ValidationError(
        "--draft-length, --draft-choice, --branches, --denoising and --recycling belong to --decoder draft: "
          + "leave them out")
    }
    if scaffold.isOn == false {
      throw ValidationError("--no-scaffold belongs to --decoder draft: leave it out")
    }
  }

  private func way() throws -> DecodingWay {
    switch decoder {
    case .draft: try drafting.way(drafter, for: target, scaffold: scaffold.isOn ?? true)
    case .jacobi: .jacobi(jacobi.options(suffix: drafting.suffix ?? true))
    }
  }

  func run() throws {
    let traceFile = trace.map { URL(filePath: $0) }
    // The claim first: it takes away the lock that a killed process left beside a finished trace.
    let claim = try traceFile.map { try OutputClaim.file($0, option: "--trace") }
    if let traceFile { try TraceWriter.checkName(traceFile) }
    let texts = try prompts.read()
    let held = try constraint.constraint()
    let folder = try target.folder()
    let way = try way()
    let generator = try TextGenerator(
      target: folder, drafter: way.drafter, weights: weights.choice,
      drafterWeights: drafter.weights, drafterPasses: drafter.passes, cacheFormat: cache.format,
      threads: threads.count, chat: try template.settings(),
      costCache: .user(measuresAgain: drafting.remeasure))
    Output.notices(generator, sampling.parameters)
    let encoder = PromptEncoder(generator, isChat: chat.isOn, system: chat.system)
    let encoded = try encoder.encode(texts)
    var parameters = rule.apply(to: encoder.parameters(sampling.parameters, for: texts))
    parameters.constraint = held
    let tracer = try traceFile.map { try writer($0, claim, generator, way, parameters) }
    Interruption.watch()
    if compare {
      try ComparisonRun(
        decoder: AlternatingDecoder(generator: generator, parameters: parameters, mode: way.mode),
        prompts: encoded, repeats: repeats ?? 3, threads: threads.count, echo: echo, json: json,
        stats: stats
      ).run()
    } else {
      try GenerationRun(
        generator: generator, prompts: encoded, parameters: parameters,
        mode: way.mode, echo: echo, json: json, stats: stats, trace: tracer
      ).run()
    }
  }

  private func writer(
    _ url: URL, _ claim: OutputClaim?, _ generator: TextGenerator, _ way: DecodingWay,
    _ parameters: GenerationParameters
  ) throws -> TraceWriter {
    var configuration = TraceConfiguration(
      name: way.name(), target: try target.folder(), generator: generator, way: way,
      parameters: parameters)
    configuration.targetWeights = try ModelFingerprint.of(target.folder())
    configuration.drafterWeights = try way.drafter.map(ModelFingerprint.of)
    return try TraceWriter(
      url: url,
      header: TraceHeader(
        machine: Machine(threads: threads.count), configurations: [configuration]),
      tokenizer: generator.tokenizer, claim: claim)
  }
}
