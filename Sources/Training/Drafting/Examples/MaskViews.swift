package import Files

/// How often the first stage of a drafter that sees tokens shows a block, each time masked otherwise.
package enum MaskViews: String, Sendable, CaseIterable {
  /// Once, each row masked by chance (DEER, arXiv 2512.15176).
  case single
  /// Twice: what one view masks the other shows, so that every row is learnt once (Fast-dLLM v2, arXiv
  /// 2509.26328; LaViDa, arXiv 2505.16839).
  case complement
  /// Three times: masked entirely, and as two views that complement each other, so that every row is learnt in
  /// two contexts (DiffuCoder, arXiv 2506.20639).
  case coupled

  /// Blocks of an anchor.
  package var count: Int {
    switch self {
    case .single: 1
    case .complement: 2
    case .coupled: 3
    }
  }

  /// The anchors of so many blocks that there are, if some are shown several times and some once, entirely masked.
  package func distinct(_ blocks: Int, maskedShare: Double) -> Int {
    let once = self == .single ? blocks : Int((maskedShare * Double(blocks)).rounded())
    return max(1, once + (blocks - once) / count)
  }

  /// The anchors of blocks: each as often as it is shown.
  package func blocks(
    at anchors: [Int], most: Int, maskedShare: Double, random: inout KeyedRandom
  ) -> [Int] {
    guard self != .single else { return anchors }
    let once = Int((maskedShare * Double(most)).rounded())
    let shown = min(anchors.count, max(0, most - once) / count)
    let often = Set(anchors.indices.shuffled(using: &random).prefix(shown))
    return anchors.indices.flatMap {
      [Int](repeating: anchors[$0], count: often.contains($0) ? count : 1)
    }
  }
}

extension TokenStages {
  /// The noise levels of so many blocks or groups of views: by chance, or one from each of as many equal
  /// parts of their range, which varies less from pass to pass (GDPO, arXiv 2510.08554).
  package func levels(_ count: Int, random: inout KeyedRandom) -> [Double] {
    let range =
      switch views {
      case .single: leastNoise...1
      case .complement: 0...1.0
      case .coupled: 0.2...0.8
      }
    let parts = spreadsLevels ? Array(0..<count).shuffled(using: &random) : []
    return (0..<count).map { index in
      let drawn = random.uniform()
      let share = spreadsLevels ? (Double(parts[index]) + drawn) / Double(count) : drawn
      return range.lowerBound + (range.upperBound - range.lowerBound) * share
    }
  }

  /// The most rows of a block at a step, where blocks grow from the shortest on (NBDiff, arXiv 2512.06776).
  package func mostRows(of sizes: ClosedRange<Int>, step: Int) -> Int {
    guard step < growthSteps else { return sizes.upperBound }
    return sizes.lowerBound + sizes.count * step / growthSteps
  }
}

extension DraftExample {
  /// Masks blocks as the first stage wants it.
  ///
  /// Blocks of one anchor follow each other and are its views; where there are several views, a block that
  /// stands alone is masked entirely.
  package mutating func mask(
    from tokens: [Token], by stages: TokenStages, random: inout KeyedRandom
  ) {
    guard stages.views != .single || stages.spreadsLevels || stages.leftShare > 0 else {
      return addNoise(
        from: tokens, least: stages.leastNoise, maskedShare: stages.maskedShare, random: &random)
    }
    var groups: [[Int]] = []
    for block in anchors.indices {
      if let last = groups.last, anchors[last[0]] == anchors[block] {
        groups[groups.count - 1].append(block)
      } else {
        groups.append([block])
      }
    }
    let noisy = groups.filter {
      stages.views == .single ? random.uniform() >= stages.maskedShare : $0.count > 1
    }
    for (group, level) in zip(noisy, stages.levels(noisy.count, random: &random)) {
      let isLeft = random.uniform() < stages.leftShare
      let rows = isLeft ? leftMask(level) : (1..<blockSize).map { _ in random.uniform() < level }
      let share = Float(isLeft ? Double(rows.count { $0 }) / Double(rows.count) : level)
      switch stages.views {
      case .single: keep(rows, of: group[0], from: tokens, weight: isLeft ? 1 : 1 / share)
      case .complement:
        keep(rows, of: group[0], from: tokens, weight: 1)
        keep(rows.map { !$0 }, of: group[1], from: tokens, weight: 1)
      case .coupled:
        // A view of hardly a row must not count for everything.
        keep(rows.map { _ in true }, of: group[0], from: tokens, weight: 0.5)
        keep(rows, of: group[1], from: tokens, weight: 0.5 / max(share, 0.1))
        keep(rows.map { !$0 }, of: group[2], from: tokens, weight: 0.5 / max(1 - share, 0.1))
      }
    }
  }

  /// Masks all rows behind the first ones, which are shown: as a second pass behind a run of drafts, or a
  /// hint where the first draft is wrong (IGPO, arXiv 2509.10396).
  private func leftMask(_ level: Double) -> [Bool] {
    let rows = blockSize - 1
    let shown = min(rows - 1, Int(((1 - level) * Double(rows)).rounded()))
    return (0..<rows).map { $0 >= shown }
  }

  /// Shows the rows of a block that aren't masked, and weighs the others.
  private mutating func keep(
    _ masked: [Bool], of block: Int, from tokens: [Token], weight: Float
  ) {
    for row in 1..<blockSize {
      let (draft, position) = (block * (blockSize - 1) + row - 1, Int(anchors[block]) + row)
      if masked[row - 1] {
        weights[draft] *= weight
      } else if position < tokens.count {
        show(tokens[position], block: block, row: row)
      }
    }
  }
}
