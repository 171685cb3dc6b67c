package import Files

/// Ends what is verified at a line's end that the pass is sure of, because what follows is less certain
/// (AdaBlock-dLLM, arXiv 2509.26432).
package struct DelimiterPolicy: NamedPolicy {
  package static let name = "adablock"
  package static let about = "verifies up to the surest end of a line (AdaBlock-dLLM)"
  package static let settings = [
    DenoisingSetting("threshold", 0.3, 0...2, "probability of the line's end"),
    DenoisingSetting("window", 1, 0...1, "share of the block's rows that are looked at"),
  ]

  private let threshold: Float
  private let window: Double

  package init(_ values: DenoisingValues) {
    threshold = values["threshold"]
    window = Double(values["window"])
  }

  package var needs: Set<DenoisingNeed> { [.lineEnds] }
  // The width follows from distributions; which of them end lines does too.
  package var fixesLeftRuns: Bool { true }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let rows = block.drafts.indices.prefix(Int((window * Double(block.drafts.count)).rounded(.up)))
    return .finish(
      DenoisingEnd(
        width: Self.width(
          rows.map { (block.distributions[$0].token, block.certainty(of: $0)) },
          delimiters: round.lineEnds, threshold: threshold, usual: block.drafts.count)))
  }

  /// Rows up to the surest delimiter, if it is sure enough; else as usual.
  package static func width(
    _ rows: [(token: Token, certainty: Float)], delimiters: Set<Token>, threshold: Float, usual: Int
  ) -> Int {
    let found = rows.indices.filter { delimiters.contains(rows[$0].token) }
    guard let surest = FixingRules.surest(1, of: found, certainty: { rows[$0].certainty }).first,
      rows[surest].certainty >= threshold
    else { return usual }
    return min(surest + 1, usual)
  }
}
