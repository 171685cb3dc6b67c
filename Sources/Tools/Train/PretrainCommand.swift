import ArgumentParser
import Files
import Foundation
public import Training

struct PretrainCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract: "Train a small causal model of the Qwen3 architecture from text.",
    discussion: """
      The documents of --data are joined into one stream of tokens, an end token after each. Writes \
      that stream, checkpoint.safetensors (parameters, optimizer, data position), a model folder in \
      Hugging Face layout, metrics.jsonl, TensorBoard events (tensorboard --logdir) and report.html \
      to --output. The same command again goes on where the last one stopped, bit for bit; Ctrl-C \
      finishes the checkpoint first.

      A deep model is trained in less time by training a shallow one first and adding layers to \
      it:
        speculate pretrain --data train.jsonl.zst --tokenizer tokenizer.model \\
          --layers 6 --steps 1500 --output shallow
        speculate pretrain --tokens shallow/train.tokens.u16 --tokenizer tokenizer.model \\
          --layers 12 --steps 2000 --output deep --init-from shallow --grow insert
      """)

  @Option("Training documents: JSON lines with a field \"text\", plain or .zst.")
  var data: String?
  @Option("Instead of --data: a file of little-endian 16-bit tokens.")
  var tokens: String?
  @Option("Held-out documents of the same kind, for a loss on text not trained on.")
  var heldoutData: String?
  @Option("Instead of --heldout-data: a file of tokens.")
  var heldoutTokens: String?
  @Option("The SentencePiece model of the documents, copied into the output folder.")
  var tokenizer: String?
  @Option("The folder of checkpoint, metrics and model.", name: .shortAndLong)
  var output: String
  @Option("Start from this folder's checkpoint, or from a model, instead of random values.")
  var initFrom: String?
  @Option(
    """
    With --init-from: reach --layers by repeating that model's layers (stack), or by new ones \
    among them that change nothing at first (insert).
    """)
  var grow: LayerGrowth?
  @OptionGroup(title: "Model") var model: ModelSizes
  @OptionGroup(title: "Training") var training: TrainingFlags

  func validate() throws {
    guard (data == nil) != (tokens == nil) else {
      throw ValidationError("give the training text: either --data or --tokens")
    }
    if heldoutData != nil && heldoutTokens != nil {
      throw ValidationError("give --heldout-data or --heldout-tokens, not both")
    }
    if tokenizer == nil && (data != nil || heldoutData != nil) {
      throw ValidationError("documents need --tokenizer: a SentencePiece model")
    }
    if grow != nil && initFrom == nil {
      throw ValidationError("--grow needs --init-from: the folder of the shallow model")
    }
    if let complaint = model.architecture.complaint { throw ValidationError(complaint) }
    let length = training.batch.length
    if length > model.context {
      throw ValidationError("--length \(length) is longer than --context \(model.context)")
    }
  }

  func run() throws {
    Interruption.watch(patience: nil)
    var options = PretrainOptions(
      trainingTokens: tokenFile("train", tokens), output: URL(fileURLWithPath: output),
      threads: training.run.threads.count)
    options.architecture = model.architecture
    if heldoutTokens != nil || heldoutData != nil {
      options.heldoutTokens = tokenFile("heldout", heldoutTokens)
    }
    options.documents = data.map { URL(fileURLWithPath: $0) }
    options.heldoutDocuments = heldoutData.map { URL(fileURLWithPath: $0) }
    options.tokenizer = tokenizer.map { URL(fileURLWithPath: $0) }
    options.initialModel = initFrom.map { URL(fileURLWithPath: $0) }
    options.growth = grow
    training.apply(to: &options)
    options.ranks = try Ranks.join()
    try PretrainRecipe.check(options)
    let claim = try options.claim()
    let isReady = try !options.ranks.isFirst || tokenize()
    guard try options.ranks.broadcast(isReady) else {
      Output.note("stopped before the tokens were complete; the same command makes them again\n")
      throw Interruption.exitCode
    }

    let recipe = try PretrainRecipe(options) { _ in claim }
    let facts =
      "\(Figures.count(recipe.parameterCount)) parameters, \(options.sequences) × "
      + "\(options.length) tokens a step, \(recipe.precision.rawValue) products"
    TrainingRun.announce(recipe, facts)
    try TrainingRun(
      recipe: recipe, label: "pretrain",
      report: TrainingReport(title: "Pretraining", facts: [facts], unit: "tokens")
    ).run(isMeasured: { $0.heldoutLoss != nil }, detail: Self.detail)
    Output.note("the model is in \(output), its curves in report.html\n")
  }

  /// The tokens of a pair of flags: a file that was given, or the one that is made from documents.
  private func tokenFile(_ name: String, _ given: String?) -> URL {
    given.map { URL(fileURLWithPath: $0) } ?? cache(name).url
  }

  private func cache(_ name: String) -> TokenCache {
    TokenCache(name, in: URL(fileURLWithPath: output))
  }

  /// Makes the tokens of all documents; returns false when it was stopped.
  private func tokenize() throws -> Bool {
    for (documents, name) in [(data, "train"), (heldoutData, "heldout")] {
      if let documents, try !tokenize(documents, into: name) { return false }
    }
    return true
  }

  /// Makes the tokens of documents, unless they are there; returns false when it was stopped.
  private func tokenize(_ documents: String, into name: String) throws -> Bool {
    guard let tokenizer else { return true }
    let cache = cache(name)
    let line = ProgressLine("tokenize", unit: "tokens")
    var (read, made) = (0, 0)
    func detail() -> String { "\(Figures.count(read)) documents of \(documents)" }
    let done = try cache.update(
      documents: URL(fileURLWithPath: documents), tokenizer: URL(fileURLWithPath: tokenizer),
      shouldStop: { Interruption.requested }
    ) {
      (read, made) = ($0, $1)
      line.update(made, detail: detail())
    }
    if read > 0 { line.finish(made, detail: detail()) }
    return done
  }

  private static func detail(_ progress: PretrainProgress) -> String {
    let parts = [
      "loss \(Figures.fixed(progress.loss, 4))",
      progress.heldoutLoss.map { "held-out \(Figures.fixed($0, 4))" },
      "\(Figures.rate(progress.tokensPerSecond)) tokens/s",
    ]
    return ProgressLine.joined(parts)
  }
}

extension LayerGrowth: ExpressibleByArgument {}
