import Foundation
import Speculate

/// One way of decoding, as the options of `speculate generate` describe it.
enum DecodingWay: Equatable {
  /// Token by token.
  case plain
  /// With drafts.
  case draft(Drafting)
  /// By Jacobi iteration.
  case jacobi(JacobiOptions)

  /// Where drafts come from, and how many.
  struct Drafting: Equatable {
    /// The drafter's folder; nil for drafts from the text so far.
    var drafter: URL?
    /// Drafts of a round; nil for as many as pay.
    var length: Int?
    /// How drafts are chosen; nil for by the temperature.
    var choice: DraftChoice?
    /// Whether the end of the text is looked up in earlier text; nil for as usual.
    var suffix: Bool?
    /// Whether what verification threw away is tried again.
    var recycling = false

    /// Whether the end of the text is looked up.
    var looksUp: Bool { suffix ?? looksUpUsually }

    private var looksUpUsually: Bool { drafter == nil || length == nil }

    /// `draft auto`, `small 3 suffix`, `draft auto no-suffix`, `suffix auto recycling`
    ///
    /// - Parameter label: what the drafter is called.
    fileprivate func name(_ label: String) -> String {
      var name = "\(drafter == nil ? "suffix" : label) \(length.map(String.init) ?? "auto")"
      if looksUp != looksUpUsually { name += looksUp ? " suffix" : " no-suffix" }
      return recycling ? name + " recycling" : name
    }

    fileprivate var arguments: [String] {
      var words: [String] = []
      if let length { words += ["--draft-length", "\(length)"] }
      if let choice { words += ["--draft-choice", choice.rawValue] }
      if looksUp != looksUpUsually { words.append(looksUp ? "--suffix" : "--no-suffix") }
      return recycling ? words + ["--recycling"] : words
    }
  }

  /// The library's name of it.
  var mode: DecodingMode {
    switch self {
    case .plain: return .plain
    case .jacobi(let options): return .jacobi(options)
    case .draft(let drafting):
      return .speculative(
        drafts: drafting.length, choice: drafting.choice,
        free: FreeDraftOptions(suffix: drafting.looksUp, recycling: drafting.recycling))
    }
  }

  /// The drafter's folder, if there is one.
  var drafter: URL? {
    if case .draft(let drafting) = self { drafting.drafter } else { nil }
  }

  /// A short name, the same for the same options.
  ///
  /// - Parameter label: what the drafter is called.
  func name(_ label: String = "draft") -> String {
    switch self {
    case .plain: "plain"
    case .draft(let drafting): drafting.name(label)
    case .jacobi(let options): options.suffix ? "jacobi" : "jacobi no-suffix"
    }
  }

  /// The options of `speculate generate` that ask for it, Jacobi decoding's own left out.
  ///
  /// - Parameter embedded: the drafter that needs no option.
  func arguments(embedded: URL?) -> [String] {
    switch self {
    case .plain: return ["--drafter", "none"]
    case .jacobi(let options):
      return ["--decoder", "jacobi"] + (options.suffix ? [] : ["--no-suffix"])
    case .draft(let drafting):
      let drafter = drafting.drafter
      let isEmbedded = drafter != nil && drafter?.path == embedded?.path
      return (isEmbedded ? [] : ["--drafter", drafter?.path ?? "suffix"]) + drafting.arguments
    }
  }
}
