import Files
import Text

/// Damages templates at random.
struct TemplateFuzz {
  private var random: SplitMix

  private static let pieces = [
    "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":",
    "'", "\"", "\\", "~", "*", "**", "//", "%", "<", "==", " in ", " is ", " not ", " if ",
    " else ", " for ", "0", "-1", "99999999999999999999", "1e308", "none", "loop", "messages",
    "|tojson",
    "|length", "|list", "|int", "|join", "|first", "|sort", "|map", ".split()", "[::-1]", "[1:]",
    "{% endif %}", "{% endfor %}", "{% set x = ", "namespace(", "range(", "\u{301}", "\u{0}",
  ]

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  /// A template with a few places changed, or with its end cut off.
  mutating func damaged(_ template: [Unicode.Scalar], cuts: Bool) -> String {
    var scalars = template
    if cuts { scalars.removeLast(Int.random(in: 0...scalars.count, using: &random)) }
    for _ in 0..<Int.random(in: cuts ? 0...2 : 1...4, using: &random) where !scalars.isEmpty {
      let place = Int.random(in: 0..<scalars.count, using: &random)
      let end = min(scalars.count, place + Int.random(in: 0...6, using: &random))
      let piece = Self.pieces.randomElement(using: &random) ?? ""
      scalars.replaceSubrange(place..<end, with: Array(piece.unicodeScalars))
    }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// A template of random pieces.
  mutating func assembled(_ parts: [String]) -> String {
    (0..<Int.random(in: 1...12, using: &random)).map { _ in
      (Bool.random(using: &random) ? parts : Self.pieces).randomElement(using: &random) ?? ""
    }.joined()
  }

  /// Renders a template, which may fail; it may not trap.
  static func tryOut(_ template: String, _ name: String, _ line: String) {
    do {
      guard case .chat(let conversation) = try PromptLine(line).content else { return }
      _ = try ChatTemplate(source: template, name: name).render(
        conversation, addsGenerationPrompt: true, now: JinjaOracle.now)
    } catch {
      // Damaged templates are expected to fail.
    }
  }
}
