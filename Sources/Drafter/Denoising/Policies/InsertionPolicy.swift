package import Files

/// Gives the least certain mask room: what follows it moves, unless the end of the text is certain (DAEDAL's
/// second stage, arXiv 2508.00819).
package struct InsertionPolicy: NamedPolicy {
  package static let name = "daedal"
  package static let about = "masks put in where nothing is likely (DAEDAL)"
  package static let settings = [
    DenoisingSetting("high", 0.9, 0...2, "probability above which a mask is fixed"),
    DenoisingSetting("low", 0.1, 0...2, "probability below which a mask gets room"),
    DenoisingSetting("masks", 2, 1...64, isWhole: true, "masks in the place of one"),
    DenoisingSetting("end", 0.9, 0...2, "certainty of the end from which no mask gets room"),
    DenoisingSetting(
      "window", 32, 1...1024, isWhole: true, "last rows that tell the end's certainty"),
  ]

  private let (high, low, end): (Float, Float, Float)
  private let masks: Int
  private let window: Int
  private var isInserted = false

  package init(_ values: DenoisingValues) {
    (high, low, end) = (values["high"], values["low"], values["end"])
    masks = values.whole("masks")
    window = values.whole("window")
  }

  package mutating func begin(_ round: DenoisingRound) -> BlockOpening {
    isInserted = false
    return BlockOpening()
  }

  package mutating func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let masked = block.masked
    let fixed = FixingRules.atLeast(high, of: masked, certainty: block.certainty)
    var plan = DenoisingPlan(fix: fixed.map { PlacedToken($0, block.proposals[$0]) })
    let left = masked.filter { !fixed.contains($0) }
    let least = left.min { (block.certainty(of: $0), $0) < (block.certainty(of: $1), $1) }
    if let least, !isInserted, block.certainty(of: least) < low,
      Self.endCertainty(block, ends: round.ends, window: window) < end
    {
      plan.insert = [DenoisingPlan.Insertion(place: least, count: masks - 1)]
      // A block has one width, so that masks can't be put in for ever.
      isInserted = true
    }
    return .pass(plan)
  }

  /// The mean certainty of the last rows that foretell the end, over `window` rows: others count nothing.
  package static func endCertainty(
    _ block: DenoisedBlock, ends: [Token], window: Int
  ) -> Float {
    let rows = block.drafts.indices.filter { ends.contains(block.token(at: $0)) }.suffix(window)
    return rows.reduce(0) { $0 + block.certainty(of: $1) } / Float(window)
  }
}
