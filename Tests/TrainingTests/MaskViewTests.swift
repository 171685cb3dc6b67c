import Drafter
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training

/// What blocks of a drafter that sees tokens show and learn, view by view.
@Suite struct MaskViewTests {
  private static let tokens = (0..<600).map { Token($0 % 40) }
  private static let choices = (0..<40).map { Int32($0) }

  private static func stages(
    _ views: MaskViews, _ change: (inout TokenStages) -> Void = { _ in }
  ) -> TokenStages {
    var stages = TokenStages()
    (stages.views, stages.maskedShare) = (views, 0.25)
    change(&stages)
    return stages
  }

  private static func example(
    _ stages: TokenStages, anchors: [Int] = (0..<120).map { 4 * $0 }, seed: UInt64 = 1
  ) -> (masked: DraftExample, whole: DraftExample) {
    var random = KeyedRandom(seed: seed, key: "views")
    let blocks = stages.views.blocks(
      at: anchors, most: 160, maskedShare: stages.maskedShare, random: &random)
    let whole = DraftExample(
      tokens: tokens, anchors: blocks, blockSize: 8, decay: nil, choices: choices)
    var masked = whole
    masked.mask(from: tokens, by: stages, random: &random)
    return (masked, whole)
  }

  /// The blocks of each anchor.
  private static func groups(_ example: DraftExample) -> [[Int]] {
    Dictionary(grouping: example.anchors.indices, by: { example.anchors[$0] })
      .sorted { $0.key < $1.key }.map(\.value)
  }

  @Test(arguments: [false, true]) func `complements mask every row once`(spreads: Bool) {
    let (masked, whole) = Self.example(
      Self.stages(.complement) {
        $0.spreadsLevels = spreads
        $0.leftShare = 0.3
      })
    let groups = Self.groups(masked)
    #expect(groups.contains { $0.count == 1 } && groups.contains { $0.count == 2 })
    for group in groups {
      for row in 0..<7 {
        let drafts = group.map { $0 * 7 + row }
        // What counts is masked, and the rest shows its token.
        for (block, draft) in zip(group, drafts) {
          let shown = masked.shown[block * 8 + row + 1]
          #expect((shown < 0) == (masked.targets[draft] >= 0))
          if shown >= 0 { #expect(shown == Self.tokens[Int(masked.anchors[block]) + row + 1]) }
          #expect(masked.weights[draft] == 1)
        }
        #expect(drafts.count { masked.targets[$0] >= 0 } == 1)
        #expect(
          drafts.allSatisfy { masked.targets[$0] < 0 || masked.targets[$0] == whole.targets[$0] })
      }
    }
    #expect(masked.labels == whole.labels)
  }

  /// Every row is learnt in two contexts, and counts 3/2 in the mean whatever its share of masks is; that
  /// varies less than with two views that know nothing of each other.
  @Test func `coupled views learn every row twice`() {
    var sums = [Double](repeating: 0, count: 7)
    var (coupled, independent) = ([Double](), [Double]())
    for seed in 0..<60 {
      let (masked, _) = Self.example(Self.stages(.coupled), seed: UInt64(seed))
      for group in Self.groups(masked) where group.count == 3 {
        #expect((0..<7).allSatisfy { masked.targets[group[0] * 7 + $0] >= 0 })
        for row in 0..<7 {
          let counted = group.map { $0 * 7 + row }.filter { masked.targets[$0] >= 0 }
          #expect(counted.count == 2)
          for draft in counted { sums[row] += Double(masked.weights[draft]) }
        }
        var sum = 0.0
        for block in group {
          for draft in block * 7..<block * 7 + 7 where masked.targets[draft] >= 0 {
            sum += Double(masked.weights[draft])
          }
        }
        coupled.append(sum / 7)
      }
    }
    let means = sums.map { $0 / Double(coupled.count) }
    #expect(means.allSatisfy { abs($0 - 1.5) < 0.05 }, "\(means)")
    var random = SplitMix(seed: 4)
    for _ in coupled {
      let level = Double.random(in: 0.2...0.8, using: &random)
      var rows = [Double](repeating: 0.5, count: 7)
      for row in rows.indices {
        if Double.random(in: 0..<1, using: &random) < level { rows[row] += 0.5 / level }
        if Double.random(in: 0..<1, using: &random) >= level { rows[row] += 0.5 / (1 - level) }
      }
      independent.append(rows.reduce(0, +) / 7)
    }
    func variance(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / Double(values.count)
      return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    }
    #expect(variance(coupled) < 0.8 * variance(independent))
  }

  @Test func `levels lie one in each part of their range`() {
    var stages = Self.stages(.single) { $0.leastNoise = 0.2 }
    stages.spreadsLevels = true
    var random = KeyedRandom(seed: 3, key: "levels")
    let levels = stages.levels(40, random: &random)
    #expect(levels != levels.sorted())
    for (part, level) in levels.sorted().enumerated() {
      let share = (level - 0.2) / 0.8 * 40
      #expect((Double(part)...Double(part + 1)).contains(share))
    }
    #expect(stages.levels(0, random: &random).isEmpty)
  }

  @Test func `left views show the first rows`() {
    let (masked, _) = Self.example(
      Self.stages(.single) {
        $0.leftShare = 1
        $0.maskedShare = 0
      })
    var lengths: Set<Int> = []
    for block in masked.anchors.indices {
      let shown = (1...7).map { masked.shown[block * 8 + $0] >= 0 }
      let run = shown.prefix { $0 }.count
      lengths.insert(run)
      #expect(shown.dropFirst(run).allSatisfy { !$0 } && run < 7)
    }
    #expect(lengths == Set(0...6))
  }

  @Test func `there is room for all views`() {
    for views in MaskViews.allCases {
      for (blocks, share) in [(1, 0.0), (1, 1), (2, 0.5), (32, 0.5), (33, 0.2), (64, 0), (64, 1)] {
        let distinct = views.distinct(blocks, maskedShare: share)
        var random = KeyedRandom(seed: 1, key: "room")
        for count in [1, distinct] {
          let made = views.blocks(
            at: Array(0..<count), most: blocks, maskedShare: share, random: &random)
          #expect((count...max(blocks, count)).contains(made.count) && made == made.sorted())
          #expect(Set(made).count == count && made.count <= max(blocks, 1))
        }
      }
    }
  }

  @Test func `blocks grow to their size`() {
    var stages = TokenStages()
    #expect(stages.mostRows(of: 2...8, step: 0) == 8)
    stages.growthSteps = 70
    let sizes = (0..<100).map { stages.mostRows(of: 2...8, step: $0) }
    #expect(sizes == sizes.sorted() && Set(sizes) == Set(2...8))
    #expect(sizes[0] == 2 && sizes[69] == 8 && sizes[99] == 8)
  }

  /// A drafter can begin as another causal model, and learns with every kind of views.
  @Test(arguments: MaskViews.allCases) func `a causal model becomes a drafter`(
    views: MaskViews
  ) throws {
    let folder = try TemporaryFolder()
    var options = try DistillRecipeTests.tokenOptions(folder, output: "drafter", threads: 1)
    options.initialization = .model(options.target)
    options.stages.views = views
    options.stages.growthSteps = 4
    options.stages.spreadsLevels = true
    (options.exportType, options.learningRate) = (.f32, 1e-12)
    let run = try DistillRecipeTests.run(options)
    #expect(run.isDone && run.progress.allSatisfy { $0.loss.isFinite && $0.loss > 0 })
    let written = try DrafterConfiguration(directory: options.output)
    #expect(written.ownsEmbedding && written.kind == .tokens)
    let target = try Checkpoint(directory: options.target)
    let drafter = try Checkpoint(file: options.output.appending(path: "model.safetensors"))
    for (own, other) in [
      ("layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.q_proj.weight"),
      ("embed_tokens.weight", "model.embed_tokens.weight"),
    ] {
      let shape = try #require(drafter.shape(of: own))
      let (values, origin) = (
        try drafter.floats(own, shape: shape), try target.floats(other, shape: shape)
      )
      #expect((0..<values.count).allSatisfy { abs(values.base[$0] - origin.base[$0]) < 1e-6 })
    }

    options.output = folder.file("conditioned")
    options.kind = .conditioned
    #expect(throws: SpeculateError.self) { _ = try DistillRecipeTests.run(options) }
    options.kind = .tokens
    options.layerCount = 63
    #expect(throws: SpeculateError.self) { _ = try DistillRecipeTests.run(options) }
  }
}
