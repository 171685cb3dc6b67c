import Foundation
import Tensors
import TestSupport
import Testing

/// Mixtures of experts against plain sums, and their rows against rows of other passes.
@Suite struct ExpertTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var design: LayerDesign
    var options: ExpertOptions

    init(
      _ name: String, weighting: ExpertWeighting = .ofAllNormalized, count: Int = 6,
      chosen: Int = 3, intermediate: Int = 48,
      _ change: (inout ExpertOptions, inout FeedForwardOptions) -> Void = { _, _ in }
    ) {
      testDescription = name
      options = ExpertOptions(
        count: count, chosen: chosen, intermediate: intermediate, weighting: weighting)
      design = LayerDesign(
        shape: LayerShape(
          hidden: 64, heads: 2, keyValueHeads: 1, headDimension: 16, intermediate: 8,
          normEpsilon: 1e-6),
        attention: AttentionOptions(rope: Rope(dimension: 16, theta: 10_000)))
      change(&options, &design.feedForward)
      design.feedForward.kind = .experts(options)
    }
  }

  static let cases = [
    Case("softmax over all", weighting: .ofAll), Case("softmax over all, normalized"),
    Case("softmax over the chosen", weighting: .ofChosen),
    Case("one of many", count: 33, chosen: 1), Case("all of them", count: 4, chosen: 4),
    Case("a shared expert") { options, _ in
      options.shared = SharedExpertOptions(intermediate: 80, isGated: false)
    },
    Case("a gated shared expert", weighting: .ofAll) { options, _ in
      options.shared = SharedExpertOptions(intermediate: 32, isGated: true)
    },
    Case("biases and clamped gates", weighting: .ofChosen, intermediate: 32) { options, part in
      options.routerBias = true
      part.bias = true
      part.clamp = GateClamp(alpha: 1.702, limit: 0.5)
    },
  ]

  private static var source: RandomSource { RandomSource(seed: 4) }
  private static let rowCount = 24
  private static let rows = {
    let values = source.values("rows", [rowCount, 64])
    return (0..<rowCount).map { row in (0..<64).map { values.base[row * 64 + $0] } }
  }()

  /// Layers of a format, and passes over rows that see themselves alone.
  private struct Passes {
    let layer: DecoderLayer
    let workers: Workers
    let scratch: LayerScratch
    let plan = RowPlan(maximumRows: 16)
    let caches: [KeyValueCache]

    init(_ layout: LayerLayout, format: WeightFormat, threads: Int) throws {
      layer = try DecoderLayer(source, layout: layout, format: format)
      workers = Workers(count: threads)
      scratch = LayerScratch(layers: [layer], head: .f32, maximumRows: 16, workers: threads)
      let rotary = RotaryTables(layers: [layer])
      caches = try (0..<16).map { [layer] _ in
        try KeyValueCache(layers: [layer], capacity: 1, rotary: rotary)
      }
    }

    func run(_ rows: [[Float]]) -> [[Float]] {
      plan.reset()
      for (index, row) in rows.enumerated() {
        plan.append(cache: caches[index], position: 0, visible: 0..<1)
        for column in 0..<64 { scratch.residual.base[index * 64 + column] = row[column] }
      }
      layer.forward(plan, index: 0, scratch: scratch, workers: workers)
      return rows.indices.map { row in (0..<64).map { scratch.residual.base[row * 64 + $0] } }
    }
  }

  @Test(arguments: cases) func outputsAreThoseOfPlainSums(_ test: Case) throws {
    let layout = LayerLayout(test.design, prefix: "")
    let passes = try Passes(layout, format: .f32, threads: 2)
    func tensor(_ name: String) -> [Float]? {
      layout.tensors.first { $0.tensor.name == name }.map {
        let values = Self.source.values($0.tensor.name, $0.tensor.shape)
        return (0..<values.count).map { values.base[$0] }
      }
    }
    var plain = PlainLayer(
      heads: 2, keyValueHeads: 1, dimension: 16, rotated: 16, scale: 0.25, tensor: tensor)
    plain.transform = { x in
      PlainExperts(
        options: test.options, clamp: test.design.feedForward.clamp, linear: plain.linear
      ).output(x)
    }
    for row in Self.rows {
      let wanted = plain.forward([row])[0]
      for (value, wanted) in zip(passes.run([row])[0], wanted) {
        #expect(abs(value - wanted) < 1e-4)
      }
    }
  }

  static let formats: [WeightFormat] =
    WeightFormat.allCases + [
      WeightFormat.blocks.first { $0.rawValue == "mxfp4" } ?? .int4,
      WeightFormat.int8.withFloatActivations,
    ]

  /// Whichever rows share a pass, in whatever order, with however many threads.
  @Test(arguments: cases, formats)
  func rowsDependOnThemselvesAlone(_ test: Case, format: WeightFormat) throws {
    let layout = LayerLayout(test.design, prefix: "")
    let alone = try Passes(layout, format: format, threads: 1)
    let single = Self.rows.map { alone.run([$0])[0] }
    #expect(Set(single).count == Self.rowCount && single.joined().allSatisfy(\.isFinite))
    var random = RandomNumbers(seed: 8)
    for threads in 1...3 {
      let passes = try Passes(layout, format: format, threads: threads)
      for count in [1, 2, 3, 5, 8, 16, 16] {
        let some = (0..<count).map { _ in Int.random(in: 0..<Self.rowCount, using: &random) }
        #expect(passes.run(some.map { Self.rows[$0] }) == some.map { single[$0] })
      }
    }
  }

  /// A pass over one row reads the chosen experts, and one over many reads nearly all.
  @Test func chosenExpertsAreRead() throws {
    let test = Self.cases[1]
    let layer = try DecoderLayer(
      Self.source, layout: LayerLayout(test.design, prefix: ""), format: .f32)
    let all = layer.matrices.reduce(0) { $0 + $1.byteCount }
    let experts = 6 * 3 * 48 * 64 * 4
    #expect(layer.bytesRead(rows: 1) == Double(all - experts / 2))
    #expect(abs(layer.bytesRead(rows: 2) - Double(all - experts / 4)) < 1)
    #expect(Double(all) - layer.bytesRead(rows: 64) < 1)
    #expect(
      layer.weightsPerRow
        == layer.matrices.reduce(0) { $0 + $1.rows * $1.columns } - experts / 2 / 4)
  }

  @Test func theGreatestLogitsAreChosen() {
    func choose(
      _ logits: [Float], _ chosen: Int, _ weighting: ExpertWeighting
    ) -> ([Int32], [Float]) {
      var logits = logits
      var experts = [Int32](repeating: -1, count: chosen)
      var weights = [Float](repeating: -1, count: chosen)
      ExpertChoice.choose(
        &logits, count: logits.count, chosen: chosen, weighting: weighting, experts: &experts,
        weights: &weights)
      return (experts, weights)
    }
    func near(_ a: [Float], _ b: [Float]) -> Bool {
      zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 } && a.count == b.count
    }
    let logits: [Float] = [0, 1, -1, 1, 2, 1]
    let sum = 2 * exp(Float(-2)) + exp(Float(-3)) - exp(Float(-2)) + 3 * exp(Float(-1)) + 1
    let (experts, weights) = choose(logits, 3, .ofAll)
    #expect(experts == [4, 1, 3])  // of equals the lower index
    #expect(near(weights, [1 / sum, exp(-1) / sum, exp(-1) / sum]))
    let part = 1 + 2 * exp(Float(-1))
    for weighting in [ExpertWeighting.ofAllNormalized, .ofChosen] {
      let (experts, weights) = choose(logits, 3, weighting)
      #expect(experts == [4, 1, 3])
      #expect(near(weights, [1 / part, exp(-1) / part, exp(-1) / part]))
    }
    #expect(choose(logits, 6, .ofAll).0 == [4, 1, 3, 5, 0, 2])
    // A NaN is chosen, and shows.
    for place in 0..<6 {
      var damaged = logits
      damaged[place] = .nan
      for weighting in [ExpertWeighting.ofAll, .ofAllNormalized, .ofChosen] {
        let (experts, weights) = choose(damaged, 2, weighting)
        #expect(experts[0] == Int32(place) && Set(experts).count == 2)
        #expect(weights.contains { $0.isNaN })
      }
    }
    let nothing = choose([.nan, .nan, .nan], 2, .ofChosen)
    #expect(Set(nothing.0).count == 2 && nothing.1.allSatisfy(\.isNaN))
  }
}

/// A mixture of experts in plain Swift, one sum after another.
private struct PlainExperts {
  var options: ExpertOptions
  var clamp: GateClamp?
  /// A product with the tensor of a name.
  var linear: ([Float], String) -> [Float]

  func output(_ x: [Float]) -> [Float] {
    let logits = linear(x, "mlp.gate")
    let order = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(options.chosen)
    let exponentials = logits.map { exp($0) }
    let chosen = order.reduce(0) { $0 + exponentials[$1] }
    let sum = options.weighting == .ofAll ? exponentials.reduce(0, +) : chosen
    var output = [Float](repeating: 0, count: x.count)
    func add(_ prefix: String, _ weight: Float) {
      for (index, value) in gated(x, prefix).enumerated() { output[index] += weight * value }
    }
    for expert in order { add("mlp.experts.\(expert).", exponentials[expert] / sum) }
    if let shared = options.shared {
      let logit = shared.isGated ? linear(x, "mlp.shared_expert_gate")[0] : .infinity
      add("mlp.shared_expert.", 1 / (1 + exp(-logit)))
    }
    return output
  }

  private func gated(_ x: [Float], _ prefix: String) -> [Float] {
    let (gate, up) = (linear(x, prefix + "gate_proj"), linear(x, prefix + "up_proj"))
    return linear(zip(gate, up).map(combine), prefix + "down_proj")
  }

  private func combine(_ gate: Float, _ up: Float) -> Float {
    guard let clamp else { return gate / (1 + exp(-gate)) * up }
    let gate = min(gate, clamp.limit)
    return gate / (1 + exp(-clamp.alpha * gate)) * (max(min(up, clamp.limit), -clamp.limit) + 1)
  }
}
