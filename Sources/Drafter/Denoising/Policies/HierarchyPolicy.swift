/// Fixes the best mask of every run of masks if it is sure enough, and all that are surer still, so that what
/// is fixed together stands apart (dInfer's hierarchical decoding, arXiv 2510.08666).
package struct HierarchyPolicy: NamedPolicy {
  package static let name = "hierarchy"
  package static let about = "the best mask of every run of masks (dInfer)"
  package static let settings = [
    DenoisingSetting("low", 0.4, 0...2, "probability of the best of a run"),
    DenoisingSetting("high", 0.8, 0...2, "probability above which any mask is fixed"),
    DenoisingSetting(
      "remask", 0, 0...1, isWhole: true,
      "1 masks drafts again whose certainty was below `low`, fixing one mask more than these"),
  ]

  private let (low, high): (Float, Float)
  private let remasks: Bool

  package init(_ values: DenoisingValues) {
    (low, high) = (values["low"], values["high"])
    remasks = values.isOn("remask")
  }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    let masked = block.masked
    var chosen = places(of: masked, certainty: block.certainty)
    guard remasks else { return block.fixing(chosen) }
    // Another row may have been fixed beside a draft since; the pass that drafted it is the last that says
    // anything of it.
    let doubtful = block.drafts.indices.filter {
      $0 >= block.base && !block.isMask($0) && !block.isPreset[$0] && block.certainty(of: $0) < low
        && block.fixedAfter[$0] < block.passes
    }
    let rest = masked.filter { !chosen.contains($0) }
    let missing = min(rest.count, doubtful.count + 1 - chosen.count)
    if missing > 0 {
      chosen += FixingRules.surest(missing, of: rest, certainty: block.certainty)
    }
    // Masking as many as are fixed would go on for ever.
    guard chosen.count > doubtful.count else { return block.fixing(chosen) }
    var plan = DenoisingPlan(fix: chosen.map { PlacedToken($0, block.proposals[$0]) })
    plan.remask = doubtful
    return .pass(plan)
  }

  /// The places to fix.
  package func places(of masked: [Int], certainty: (Int) -> Float) -> [Int] {
    var runs: [[Int]] = []
    for place in masked {
      if let last = runs.last?.last, last == place - 1 {
        runs[runs.count - 1].append(place)
      } else {
        runs.append([place])
      }
    }
    let best = runs.flatMap { FixingRules.surest(1, of: $0, certainty: certainty) }
      .filter { certainty($0) > low }
    let surest = FixingRules.surest(1, of: masked, certainty: certainty)
    return masked.filter { best.contains($0) || certainty($0) > high || surest.contains($0) }
  }
}

/// Shows later passes what rows find likely without fixing any: masks are mixed with the embeddings of their
/// most probable tokens (dInfer's smoothing, arXiv 2510.08666). Drafters that weren't trained on such rows are
/// out of their depth.
package struct SmoothingPolicy: NamedPolicy {
  package static let name = "smoothing"
  package static let about = "masks mixed with what is likely there (dInfer)"
  package static let settings = [
    DenoisingSetting("weight", 0.15, 0...4, "weight of the mixture in the second pass"),
    DenoisingSetting("growth", 0.02, 0...4, "what each pass adds to it"),
    DenoisingSetting("most", 0.3, 0...4, "the greatest weight"),
    DenoisingSetting("count", 2, 1...5, isWhole: true, "passes of a block"),
  ]

  private let (weight, growth, most): (Float, Float, Float)
  private let passes: Int

  package init(_ values: DenoisingValues) {
    (weight, growth, most) = (values["weight"], values["growth"], values["most"])
    passes = values.whole("count")
  }

  package func next(_ block: DenoisedBlock, _ round: DenoisingRound) -> DenoisingStep {
    guard block.passes < passes else { return .done }
    let share = min(weight + growth * Float(block.passes - 1), most)
    var plan = DenoisingPlan()
    plan.soften = block.masked.map { place in
      let row = block.distributions[place]
      return SoftMask(
        place: place,
        mixture: row.top.indices.map { (row.top[$0].token, share * row.probability($0)) })
    }
    return .pass(plan)
  }
}
