/// The flags of settings that errors of the libraries name: ‘learning rate’ is `--learning-rate`.
///
/// No other text has typographic quotes: names out of templates and files stand in straight ones, so that
/// a template's filter 'output' is no flag.
package enum SettingFlags {
  package static let settings = [
    "alpha", "anchors", "answer drafter", "batch", "beta1", "beta2", "block", "block growth",
    "block size", "certainty", "chat template", "chat template kwargs", "clean", "clip",
    "confidence", "context", "copies",
    "cross entropy", "data", "decay", "divergence", "draft choice", "draft vocabulary", "drafter",
    "drafter passes", "dtype", "evaluation length", "exchange", "exclude", "floor", "force",
    "freeze embedding", "grow", "growth steps",
    "head dim", "heads", "heldout", "host", "heldout data", "heldout tokens", "hidden", "init",
    "init from", "intermediate", "kind", "kv heads", "lanes", "layers", "learning rate",
    "least noise", "left share",
    "length", "longest prompt", "markov rank", "mask token", "masked share", "output", "port",
    "own embedding", "precision", "prompt length", "prompt system", "prompt temperature",
    "prompt top-p",
    "prompts", "sampled share", "refinement rate", "refinement steps", "report",
    "response length", "responses", "responses from", "rope theta", "row weights", "save best",
    "seed", "selector rank",
    "shortest block", "shortest prompt", "skip", "spread levels", "steps",
    "store log-probabilities",
    "store precision",
    "store taps", "target", "target layers", "temperature", "tokenizer", "tokens", "trace",
    "trajectories from", "variation", "views", "vocabulary", "warmup", "weight decay", "width",
    "window",
  ]

  /// A library's text with flags in the settings' place.
  package static func naming(_ text: String) -> String {
    settings.reduce(text) { $0.replacing("‘\($1)’", with: flag($1)) }
  }

  /// `--learning-rate` for "learning rate".
  package static func flag(_ setting: String) -> String {
    "--" + setting.replacing(" ", with: "-")
  }
}
