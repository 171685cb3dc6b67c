/// Fixes masks that are sure, and less sure ones near these (LocalLeap, arXiv 2510.07081).
package struct LocalLeapPolicy: NamedPolicy {
  package static let name = "local-leap"
  package static let about = "a lower threshold near drafts that are sure (LocalLeap)"
  package static let settings = [
    DenoisingSetting("high", 0.9, 0...2, "probability of an anchor"),
    DenoisingSetting("low", 0.75, 0...2, "probability of a mask near an anchor"),
    DenoisingSetting("radius", 4, 0...64, isWhole: true, "how far from an anchor is near"),
    DenoisingSetting("left", 0, 0...1, isWhole: true, "1 for anchors on the left only"),
  ]

  private let (high, low): (Float, Float)
  private let radius: Int
  private let isLeft: Bool

  package init(_ values: DenoisingValues) {
    (high, low) = (values["high"], values["low"])
    radius = values.whole("radius")
    isLeft = values.isOn("left")
  }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    block.fixing(places(of: block.masked, certainty: block.certainty))
  }

  /// The places to fix: anchors, those near them, and the surest in any case.
  package func places(of masked: [Int], certainty: (Int) -> Float) -> [Int] {
    let anchors = masked.filter { certainty($0) >= high }
    let surest = FixingRules.surest(1, of: masked, certainty: certainty)
    return masked.filter { place in
      anchors.contains(place) || surest.contains(place)
        || certainty(place) >= low
          && anchors.contains { anchor in
            abs(anchor - place) <= radius && (!isLeft || anchor < place)
          }
    }
  }
}
