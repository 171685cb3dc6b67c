/// The flags of settings that errors of the libraries name: ‘learning rate’ is `--learning-rate`.
///
/// No other text has typographic quotes: names out of templates and files stand in straight ones, so that
/// a template's filter 'output' is no flag.
package enum SettingFlags {
  package static let settings = [
    "answer drafter", "chat template", "chat template kwargs", "confidence", "data", "drafter",
    "drafter passes", "evaluation length", "force", "grow", "heldout", "heldout data",
    "heldout tokens", "init", "init from", "layers",
    "learning rate", "length", "longest prompt", "mask token", "output", "precision",
    "prompts", "report", "response length", "responses from", "save best", "seed",
    "store log-probabilities",
    "store taps", "target", "target layers", "temperature", "tokenizer", "tokens", "trace",
    "trajectories from", "vocabulary", "width",
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
