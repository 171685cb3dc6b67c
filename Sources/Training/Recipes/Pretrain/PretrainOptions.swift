package import Files
package import Foundation

/// What a pretraining run is to do.
package struct PretrainOptions: RecipeOptions {
  package var run: RunOptions
  package var architecture = CausalArchitecture()
  /// Training tokens: little-endian 16-bit numbers.
  package var trainingTokens: URL
  /// Held-out tokens of the same kind, or nil.
  package var heldoutTokens: URL?
  /// What the tokens are made from, into the output folder; nil for tokens that are there.
  package var documents: URL?
  package var heldoutDocuments: URL?
  /// A tokenizer to copy into the output folder.
  package var tokenizer: URL?
  /// Tokens of a sequence.
  package var length = 256
  /// Sequences a worker takes at once; fewer need less memory.
  package var microSequences = 4
  /// Windows of the data order to leave out, for a run that follows another.
  package var skippedWindows = 0
  /// Held-out windows of an evaluation.
  package var evaluationWindows = 64
  /// What gives the first parameters: the folder of a run, or a model.
  package var initialModel: URL?
  /// How `initialModel`, if it is shallower, becomes as deep as this one.
  package var growth: LayerGrowth?

  package init(trainingTokens: URL, output: URL, threads: Int) {
    self.trainingTokens = trainingTokens
    run = RunOptions(output: output, threads: threads)
    run.learningRate = 2e-3
    run.warmup = .steps(100)
  }

  /// Claims the output folder; nil on ranks that don't write.
  package func claim() throws -> OutputClaim? {
    let files = [
      ("tokens", trainingTokens), ("heldout tokens", heldoutTokens), ("tokenizer", tokenizer),
      ("data", documents), ("heldout data", heldoutDocuments),
    ]
    // Tokens made for this run and its copy of the tokenizer lie in the folder itself.
    let own = run.output.standardizedFileURL.path
    let apart = files.compactMap { setting, url in
      url.flatMap {
        $0.deletingLastPathComponent().standardizedFileURL.path == own
          ? nil : OutputClaim.Input(setting, $0)
      }
    }
    return try run.ranks.claim(
      run.output, for: OutputClaim.Job("pretrain", settings: settings()),
      apartFrom: apart
        + (initialModel.map { [OutputClaim.Input("init from", $0)] } ?? []))
  }
}
