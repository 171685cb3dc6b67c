package import Foundation
package import Speculate

/// One way of decoding, as the options of `speculate generate` describe it.
package enum DecodingWay: Equatable {
  case plain
  case draft(Drafting)
  case jacobi(JacobiOptions)

  /// Where drafts come from, and how many.
  package struct Drafting: Equatable {
    /// The drafter's folder; nil for drafts from the text so far.
    package var drafter: URL?
    /// Drafts of a round; nil for as many as pay.
    package var length: Int?
    /// How drafts are chosen; nil for by the temperature.
    package var choice: DraftChoice?
    /// Whether the end of the text is looked up in earlier text; nil for as usual.
    package var suffix: Bool?
    /// Whether what verification threw away is tried again.
    package var recycling: Bool
    /// Tokens beside its first choice that a drafter looks at; nil for as usual.
    package var branches: Int?
    /// Whether what a grammar forces is drafted.
    package var scaffold: Bool
    /// How a block drafter denoises; nil for in one pass.
    package var denoising: Denoising?

    package init(
      drafter: URL?, length: Int? = nil, choice: DraftChoice? = nil, suffix: Bool? = nil,
      recycling: Bool = false, branches: Int? = nil, scaffold: Bool = true,
      denoising: Denoising? = nil
    ) {
      self.denoising = denoising
      self.drafter = drafter
      self.length = length
      self.choice = choice
      self.suffix = suffix
      self.recycling = recycling
      self.branches = branches
      self.scaffold = scaffold
    }

    /// Whether the end of the text is looked up.
    package var looksUp: Bool { suffix ?? looksUpUsually }

    /// Whether it is without anybody saying so.
    package var looksUpUsually: Bool { drafter == nil || length == nil }

    /// Tokens beside its first choice that the drafter looks at.
    package var usedBranches: Int {
      drafter == nil || length != nil ? 0 : branches ?? DraftStrategy.usualBranches
    }

    /// `draft auto`, `small 3 suffix`, `draft auto no-suffix`, `suffix auto recycling`
    ///
    /// - Parameter label: what the drafter is called.
    fileprivate func name(_ label: String) -> String {
      var name = "\(drafter == nil ? "suffix" : label) \(length.map(String.init) ?? "auto")"
      if looksUp != looksUpUsually { name += looksUp ? " suffix" : " no-suffix" }
      if let branches { name += branches == 0 ? " chain" : " \(branches) branches" }
      if !scaffold { name += " no-scaffold" }
      if let denoising { name += " \(denoising.text)" }
      return recycling ? name + " recycling" : name
    }
  }

  /// The library's name of it.
  package var mode: DecodingMode {
    switch self {
    case .plain: return .plain
    case .jacobi(let options): return .jacobi(options)
    case .draft(let drafting):
      return .speculative(
        drafts: drafting.length, choice: drafting.choice,
        free: FreeDraftOptions(
          suffix: drafting.looksUp, recycling: drafting.recycling, scaffold: drafting.scaffold),
        branches: drafting.branches, denoising: drafting.denoising)
    }
  }

  package var drafter: URL? {
    if case .draft(let drafting) = self { drafting.drafter } else { nil }
  }

  /// A short name, the same for the same options.
  ///
  /// - Parameter label: what the drafter is called.
  package func name(_ label: String = "draft") -> String {
    switch self {
    case .plain: "plain"
    case .draft(let drafting): drafting.name(label)
    case .jacobi(let options): options.suffix ? "jacobi" : "jacobi no-suffix"
    }
  }
}
