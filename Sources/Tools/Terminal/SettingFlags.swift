/// The flags of settings that errors of the libraries name in single quotes: 'learning rate' is
/// `--learning-rate`.
package enum SettingFlags {
  /// The settings, in the words of their flags. Whatever else stands in quotes is left as it is.
  package static let settings = [
    "confidence", "drafter", "drafter passes", "evaluation length", "force", "grow", "init",
    "layers", "learning rate", "length",
    "longest prompt", "mask token", "output", "precision", "response length", "save best", "seed",
    "store log-probabilities", "store taps", "target layers", "temperature", "trace", "vocabulary",
    "width",
  ]

  /// A library's text with flags in the settings' place.
  package static func naming(_ text: String) -> String {
    settings.reduce(text) { $0.replacing("'\($1)'", with: flag($1)) }
  }

  /// `--learning-rate` for "learning rate".
  package static func flag(_ setting: String) -> String {
    "--" + setting.replacing(" ", with: "-")
  }
}
