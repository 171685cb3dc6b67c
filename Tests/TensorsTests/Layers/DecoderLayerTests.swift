import Foundation
import Tensors
import TestSupport
import Testing

/// Single layers of every option against plain sums, with and without context.
@Suite struct DecoderLayerTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var design: LayerDesign

    init(_ name: String, dimension: Int = 16, _ change: (inout LayerDesign) -> Void = { _ in }) {
      testDescription = name
      design = LayerDesign(
        shape: LayerShape(
          hidden: 24, heads: 4, keyValueHeads: 2, headDimension: dimension, intermediate: 40,
          normEpsilon: 1e-6),
        attention: AttentionOptions(rope: Rope(dimension: dimension, theta: 10_000)))
      change(&design)
    }
  }

  static let cases = [
    Case("plain"), Case("narrow heads", dimension: 10),
    Case("partly rotated") { $0.attention.rope.dimension = 6 },
    Case("partly rotated, narrow heads", dimension: 12) { $0.attention.rope.dimension = 4 },
    Case("a scale") { $0.attention.scale = 0.7 },
    Case("a window") { $0.attention.window = 3 },
    Case("normed heads") { $0.attention.headNorms = .each },
    Case("biases") {
      $0.attention.inputBias = true
      $0.attention.outputBias = true
      $0.feedForward.bias = true
    },
    Case("LayerNorm") { $0.norm = NormDesign(.layer) },
    Case("LayerNorm with biases, in heads too") {
      $0.norm = NormDesign(.layer, bias: true)
      $0.attention.headNorms = .each
      $0.attention.headNorm = NormDesign(.layer, bias: true)
    },
    Case("LayerNorm without tensors") { $0.norm = NormDesign(.layer, scale: .none) },
    Case("RMSNorm with 1 added") { $0.norm = NormDesign(scale: .onePlusStored) },
    Case("scales for each head") {
      $0.attention.headNorms = .eachOwn
    },
    Case("parallel") { $0.flow = .parallel },
    Case("parallel behind one norm", dimension: 10) {
      $0.flow = .parallelSharingNorm
      $0.norm = NormDesign(.layer)
      $0.feedForwardNorms = .both
    },
    Case("without a gate, with biases") {
      $0.feedForward.kind = .plain
      $0.feedForward.activation = .gelu
      $0.feedForward.bias = true
    },
    Case("without a gate, parallel") {
      $0.feedForward.kind = .plain
      $0.feedForward.activation = .reluSquared
      $0.flow = .parallel
    },
    Case("a gate by GELU") { $0.feedForward.activation = .geluTanh },
    Case("clipped") { $0.attention.clip = 0.6 },
    Case("clipped before norms", dimension: 10) {
      $0.attention.clip = 0.5
      $0.attention.headNorms = .each
    },
    Case("attention normed after") { $0.mixerNorms = .after },
    Case("attention normed before and after") { $0.mixerNorms = .both },
    Case("feed-forward normed after") { $0.feedForwardNorms = .after },
    Case("all normed before and after", dimension: 8) {
      $0.attention.rope.dimension = 4
      $0.mixerNorms = .both
      $0.feedForwardNorms = .both
    },
  ]

  private static var source: RandomSource { RandomSource(seed: 9) }

  /// Runs `rows` behind `context` in one pass, or context and rows one at a time.
  private func run(
    _ layout: LayerLayout, _ rows: [[Float]], context: [[Float]], threads: Int, atOnce: Bool
  ) throws -> [[Float]] {
    let layer = try DecoderLayer(Self.source, layout: layout, format: .f32)
    let workers = Workers(count: threads)
    let hidden = layout.design.shape.hidden
    let scratch = LayerScratch(layers: [layer], head: .f32, maximumRows: 16, workers: threads)
    let cache = try KeyValueCache(
      layers: [layer], capacity: 32, rotary: RotaryTables(layers: [layer]))
    let plan = RowPlan(maximumRows: 16)
    let features = ActivationRows(maximumRows: 16, width: hidden, formats: [.f32])
    func place(_ rows: [[Float]], in target: UnsafeMutablePointer<Float>) {
      plan.reset()
      for (index, row) in rows.enumerated() {
        let position = cache.count + index
        for column in 0..<hidden { target[index * hidden + column] = row[column] }
        plan.append(cache: cache, position: position, visible: 0..<position + 1)
      }
    }
    for piece in atOnce ? [context] : context.map({ [$0] }) where !piece.isEmpty {
      place(piece, in: features.values.base)
      layer.storeContext(features, plan, index: 0, scratch: scratch, workers: workers)
      cache.advance(by: piece.count)
    }
    return (atOnce ? [rows] : rows.map { [$0] }).flatMap { piece in
      place(piece, in: scratch.residual.base)
      layer.forward(plan, index: 0, scratch: scratch, workers: workers)
      cache.advance(by: piece.count)
      return piece.indices.map { row in
        (0..<hidden).map { scratch.residual.base[row * hidden + $0] }
      }
    }
  }

  @Test(arguments: cases, [0, 5]) func layersAreThoseOfPlainSums(_ test: Case, context: Int) throws
  {
    let shape = test.design.shape
    let names = ["mixer_post": "post_mixer_layernorm.weight"]
      .merging(["feed_forward_post": "post_feedforward_layernorm.weight"]) { $1 }
    let layout = LayerLayout(test.design, prefix: "")
    var plain = PlainLayer(
      heads: shape.heads, keyValueHeads: shape.keyValueHeads, dimension: shape.headDimension,
      rotated: test.design.attention.rope.dimension,
      scale: test.design.attention.scale ?? 1 / Float(shape.headDimension).squareRoot()
    ) { name in
      layout.tensors.first { $0.tensor.name == names[name] ?? name }.map {
        let values = Self.source.values($0.tensor.name, $0.tensor.shape)
        return (0..<values.count).map { values.base[$0] }
      }
    }
    plain.window = test.design.attention.window
    plain.normDesign = test.design.norm
    plain.clip = test.design.attention.clip
    plain.headNorm = test.design.attention.headNorm
    plain.flow = test.design.flow
    plain.activation =
      switch test.design.feedForward.activation {
      case .silu: { $0 / (1 + exp(-$0)) }
      case .gelu: { $0 * erfc(-$0 / Float(2).squareRoot()) / 2 }
      case .geluTanh: { $0 / (1 + exp(-1.5957691 * ($0 + 0.044715 * $0 * $0 * $0))) }
      case .relu: { max($0, 0) }
      case .reluSquared: { max($0, 0) * max($0, 0) }
      }
    let values = Self.source.values("rows", [context + 9, shape.hidden])
    let all = (0..<context + 9).map { row in
      (0..<shape.hidden).map { values.base[row * shape.hidden + $0] }
    }
    let (before, rows) = (Array(all[..<context]), Array(all[context...]))
    let expected = plain.forward(rows, context: before)
    let single = try run(layout, rows, context: before, threads: 1, atOnce: false)
    for (row, wanted) in zip(single, expected) {
      for (value, wanted) in zip(row, wanted) { #expect(abs(value - wanted) < 1e-4) }
    }
    for threads in 1...3 {
      #expect(try run(layout, rows, context: before, threads: threads, atOnce: true) == single)
    }
  }

  /// Layers of a model may differ in the sizes and rotation of their heads.
  @Test func layersOfDifferentSizesShareAPass() throws {
    let designs = [Self.cases[0], Self.cases[3], Self.cases[Self.cases.count - 1]].map(\.design)
    let layers = try designs.enumerated().map { index, design in
      try DecoderLayer(
        Self.source, layout: LayerLayout(design, prefix: "\(index)."), format: .int8)
    }
    let workers = Workers(count: 2)
    func run(_ pieces: [Int]) throws -> [Float] {
      let scratch = LayerScratch(layers: layers, head: .f32, maximumRows: 8, workers: 2)
      let cache = try KeyValueCache(
        layers: layers, capacity: 16, rotary: RotaryTables(layers: layers))
      let plan = RowPlan(maximumRows: 8)
      let values = Self.source.values("rows", [8, 24])
      return pieces.flatMap { count in
        plan.reset()
        for row in 0..<count {
          let position = cache.count + row
          plan.append(cache: cache, position: position, visible: 0..<position + 1)
        }
        scratch.residual.base.update(from: values.base + cache.count * 24, count: count * 24)
        for (index, layer) in layers.enumerated() {
          layer.forward(plan, index: index, scratch: scratch, workers: workers)
        }
        cache.advance(by: count)
        return (0..<count * 24).map { scratch.residual.base[$0] }
      }
    }
    let whole = try run([8])
    #expect(whole.contains { $0 != 0 } && whole.allSatisfy(\.isFinite))
    #expect(try run([Int](repeating: 1, count: 8)) == whole)
  }
}
