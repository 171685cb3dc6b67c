import Analysis
import Foundation
import Speculate

extension DecodingWay {
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

extension DecodingWay.Drafting {
  fileprivate var arguments: [String] {
    var words: [String] = []
    if let length { words += ["--draft-length", "\(length)"] }
    if let choice { words += ["--draft-choice", choice.rawValue] }
    if looksUp != looksUpUsually { words.append(looksUp ? "--suffix" : "--no-suffix") }
    if let branches { words += ["--branches", "\(branches)"] }
    if !scaffold { words.append("--no-scaffold") }
    if let denoising { words += ["--denoising", denoising.text] }
    return recycling ? words + ["--recycling"] : words
  }
}
