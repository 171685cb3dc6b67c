import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate
import Tensors
import Verifier

struct AnalyzeBranchesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "branches",
    abstract:
      "Tell where the target's tokens stood among a drafter's choices, and what trees gain.",
    discussion: """
      Replays the outputs of a trace. For every depth of a block it counts how often the target's token was \
      the drafter's first choice, its second and so on, all drafts before it being right; and it compares \
      chains and trees of the same numbers of rows, as if rows cost nothing up to there.

        speculate analyze branches run.jsonl.zst
        speculate analyze branches run.jsonl.zst --drafter small --rows 8 16 --branches 4
      """)

  @Argument(
    help: ArgumentHelp(
      "A trace that 'analyze run' or 'generate --trace' wrote.", valueName: "trace"))
  var trace: String
  @Option("Folder of the target. (default: the one that the trace names)", value: "dir")
  var target: String?
  @Option("Folder of the drafter. (default: the first that the trace names)", value: "dir")
  var drafter: String?
  @Option("Choices beside the first that are looked at and followed.", value: "n")
  var branches = DraftStrategy.usualBranches
  @Option("Rows of the rounds to compare.", value: "n") var rows = [4, 8, 16]
  @Option("Which of the trace's temperatures to study. (default: its first)", value: "t")
  var temperature: Float?
  @OptionGroup var rule: DraftChoiceOptions
  @OptionGroup var threads: ThreadOptions
  @Option("Prompts to replay, at most, spread over the trace.", value: "n") var limit = 60
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    try OptionCheck.atLeast(1, ("--limit", limit))
    try OptionCheck.range("--branches", branches, 1...8)
    for rows in rows { try OptionCheck.range("--rows", rows, 2...64) }
  }

  func run() throws {
    let recorded = try RecordedOutputs(
      Trace.read(URL(filePath: trace)), name: URL(filePath: trace).lastPathComponent,
      temperature: temperature, limit: limit)
    let folder = try recorded.targetFolder(target, trace: trace)
    guard let drafter = drafter ?? recorded.drafters.first else {
      throw SpeculateError("\(trace) names no drafter; give --drafter")
    }
    let drafterFolder = try ModelFolder.url(drafter, option: "--drafter")
    let format = recorded.formats.compactMap(WeightFormat.init).first
    let generator = try TextGenerator(
      target: folder, drafter: drafterFolder, weights: WeightFormatChoice(layers: format),
      threads: threads.count, costCache: nil)
    let texts = recorded.texts(recorded.formats[0])
    let replay = try DraftReplay(generator, texts, threads: threads.count)
    Interruption.watch()
    let progress = ProgressLine("replaying", unit: "outputs", total: texts.count)
    let study = try BranchStudy(
      replay, drafter: drafterFolder.lastPathComponent,
      maximumDrafts: generator.drafter?.maximumDrafts ?? 1, texts: texts,
      parameters: recorded.parameters, choice: rule.draftChoice ?? recorded.choice,
      branches: branches, rows: rows
    ) {
      progress.update($0)
      return !Interruption.requested
    }
    progress.clear()
    Interruption.finish()
    try CommandReport(lines: study.lines, parts: [study]).show(json: json)
    if Interruption.requested { throw Interruption.exitCode }
  }
}

extension BranchStudy {
  fileprivate var lines: [String] {
    func share(_ part: Int, _ whole: Int) -> String {
      whole > 0 ? Figures.fixed(100 * Double(part) / Double(whole), 1) + " %" : ""
    }
    let ranks = (0...branches).map { $0 == 0 ? "first" : "\($0 + 1)." }
    return [
      "\(drafter), drafts \(choice.rawValue), "
        + (temperature == 0 ? "greedy" : "temperature \(temperature)")
        + ", \(texts) outputs: the target's token among the drafter's choices"
    ]
      + TextTable.lines(
        ["depth", "reached"] + ranks + ["further down"],
        depths.map { depth in
          ["\(depth.depth)", Figures.count(depth.reached)]
            + depth.byRank.map { share($0, depth.reached) } + [
              share(depth.elsewhere, depth.reached)
            ]
        })
      + ["", "tau of rounds of the same rows"]
      + TextTable.lines(
        ["rows", "chain", "tree of \(branches) branches", "gain"],
        rows.map {
          [
            "\($0.rows)", Figures.fixed($0.chain, 2), Figures.fixed($0.tree, 2),
            Figures.fixed(100 * ($0.tree / max($0.chain, 1e-9) - 1), 1) + " %",
          ]
        })
  }
}

extension DraftReplay {
  /// Prepares replaying texts with a generator's models.
  convenience init(_ generator: TextGenerator, _ texts: [Text], threads: Int) throws {
    let workers = Workers(count: threads)
    let longest = texts.map { $0.prompt.count + $0.output.count }.max() ?? 1
    let runner = CausalRunner(
      model: generator.model, workers: workers,
      maximumRows: max(64, (generator.drafter?.maximumDrafts ?? 0) + 1),
      taps: generator.drafter?.taps ?? [])
    let source = try generator.drafter?.makeSource(
      target: generator.model, workers: workers, capacity: longest,
      tokens: generator.tokenizer.vocabularySize)
    self.init(runner: runner, source: source)
  }
}

extension RecordedOutputs {
  /// The target's folder: the one that is named, or that of the trace if it holds what it did.
  func targetFolder(_ named: String?, trace: String) throws -> URL {
    let folder = try ModelFolder.url(named ?? target, option: "--target")
    // Another folder that is named may hold the same model in another format.
    if named == nil, let targetWeights, try targetWeights != ModelFingerprint.of(folder) {
      throw SpeculateError(
        "\(trace): its outputs are not those of the weights that are in \(folder.path) now; trace them "
          + "again, or give the model's folder with --target")
    }
    return folder
  }
}
