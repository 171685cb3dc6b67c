/// Drafts that are known before any pass, at given places; the rest is drafted in one pass that sees them, as
/// Dimple's structure priors have it (arXiv 2505.16990).
package struct PriorPolicy: DenoisingPolicy {
  private let presets: [PlacedToken]

  package init(_ presets: [PlacedToken]) { self.presets = presets }

  package var sight: DenoisingSight { .proposals }

  package func begin(_ round: DenoisingRound) -> BlockOpening {
    var opening = BlockOpening()
    opening.presets = presets
    return opening
  }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep { .done }
}
