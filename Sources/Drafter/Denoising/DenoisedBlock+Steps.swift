import Files

/// What a policy plans, as far as it can be done.
extension DenoisedBlock {
  /// Passes of each way to go on at most, whatever the policy says: two for each draft, and a few.
  static func mostPasses(_ drafts: Int) -> Int { 2 * drafts + 4 }
  /// Plans that may change something without fixing a mask.
  static let mostIdlePlans = 4
  /// Ways to go on that a block drafts at most.
  static let mostChains = 8

  /// Does what the policy says, or ends the block where that is good for nothing.
  package mutating func take(_ step: DenoisingStep) {
    softened.removeAll(keepingCapacity: true)
    switch step {
    case .finish(let end): finish(end)
    case .pass(let plan):
      let most = meter.chains * Self.mostPasses(drafts.count)
      if meter.passes >= most || !apply(plan) { finish(DenoisingEnd()) }
    case .restart:
      guard base == 0, chains.count + 1 < Self.mostChains else { return finish(DenoisingEnd()) }
      keepChain()
      restart()
    }
  }

  // MARK: Plans

  /// - Returns: Whether another pass is good for something.
  private mutating func apply(_ plan: DenoisingPlan) -> Bool {
    let fixes = fix(plan.fix)
    var changes = remask(plan.remask)
    for insertion in plan.insert { changes = insert(insertion) || changes }
    changes = soften(plan.soften) || changes
    changes = extend(by: plan.extend) || changes
    setBiases(plan.biases)
    if !fixes {
      guard changes, idlePlans < Self.mostIdlePlans else { return false }
      idlePlans += 1
    }
    return hasMasks
  }

  private mutating func fix(_ fixed: [PlacedToken]) -> Bool {
    var fixes = false
    for one in fixed where one.place >= base && isMask(one.place) && limits.allow(one.token) {
      if one.token != proposals[one.place] { confidences[one.place] = 0 }
      drafts[one.place] = one.token
      fixedAfter[one.place] = passes
      fixes = true
    }
    return fixes
  }

  private mutating func remask(_ places: [Int]) -> Bool {
    var changes = false
    for place in places where place >= base && drafts.indices.contains(place) {
      guard drafts[place] != nil, !isPreset[place] else { continue }
      drafts[place] = nil
      fixedAfter[place] = 0
      changes = true
    }
    return changes
  }

  private mutating func insert(_ insertion: DenoisingPlan.Insertion) -> Bool {
    let place = insertion.place
    guard place >= base, isMask(place), insertion.count > 0 else { return false }
    let count = min(insertion.count, drafts.count - place)
    // Drafts that stand for good can't move.
    guard !isPreset[place...].contains(true) else { return false }
    func move<Value>(_ values: inout [Value], _ empty: Value) {
      guard values.count == drafts.count else { return }
      values.insert(contentsOf: repeatElement(empty, count: count), at: place)
      values.removeLast(count)
    }
    move(&proposals, 0)
    move(&confidences, 0)
    move(&fixedAfter, 0)
    move(&distributions, RowDistribution(top: [], logSum: 0, entropy: 0))
    var moved = drafts
    move(&moved, nil)
    drafts = moved
    return true
  }

  private mutating func soften(_ masks: [SoftMask]) -> Bool {
    for mask in masks where mask.place >= base && isMask(mask.place) {
      // A mixture of nothing is the mask itself.
      let isSound = mask.mixture.allSatisfy {
        $0.weight.isFinite && $0.token >= 0 && Int($0.token) < limits.vocabulary
      }
      if isSound, !softened.contains(where: { $0.place == mask.place }) { softened.append(mask) }
    }
    return !softened.isEmpty
  }

  private mutating func extend(by count: Int) -> Bool {
    let count = min(count, limits.spare, capacity)
    guard count > 0, chains.isEmpty else { return false }
    fill()
    limits.spare -= count
    base = drafts.count
    for _ in 0..<count { appendMask() }
    return true
  }

  // MARK: Ends

  /// Masks become what the last pass proposes.
  private mutating func fill() {
    for place in drafts.indices where drafts[place] == nil {
      drafts[place] = proposals[place]
      fixedAfter[place] = passes
    }
  }

  private mutating func keepChain() {
    fill()
    chains.append(Chain(tokens: drafts.compactMap(\.self), confidences: confidences))
  }

  private mutating func restart() {
    meter.chains += 1
    for place in drafts.indices where !isPreset[place] {
      drafts[place] = nil
      fixedAfter[place] = 0
    }
    biases.removeAll(keepingCapacity: true)
  }

  mutating func finish(_ end: DenoisingEnd) {
    fill()
    if !chains.isEmpty {
      keepChain()
      if let first = end.chain, chains.indices.contains(first) { chains.swapAt(0, first) }
      let first = chains.removeFirst()
      (drafts, confidences) = (first.tokens, first.confidences)
    }
    if end.confidences.count == drafts.count {
      for (place, confidence) in end.confidences.enumerated() where confidence >= 0 {
        // Where the drafter has no draft to give, its logits aren't numbers.
        if confidences[place].isFinite { confidences[place] = min(confidence, 1) }
      }
    }
    width = max(1, min(end.width ?? drafts.count, drafts.count))
    isOpen = false
  }
}
