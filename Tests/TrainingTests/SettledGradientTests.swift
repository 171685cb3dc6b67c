import Drafter
import Files
import Synchronization
import Tensors
import Testing
import Training

/// What a backward pass calls final it leaves alone from then on.
@Suite struct SettledGradientTests {
  @Test func `a causal model's gradient is settled from its last tensor on`() {
    let model = TinyTraining.livelyModel(TinyTraining.architecture(), seed: 3)
    let pass = CausalPass(
      model: model, sequences: 2, length: 9,
      rotary: RotaryLayer(width: 8, theta: 10_000, positions: 9))
    let inputs = (0..<18).map { Token($0 * 7 % TinyTokenizer.vocabulary) }
    check(pass, model.layout, "causal") {
      _ = pass.forwardBackward(
        inputs: inputs, targets: Array(inputs.reversed()), count: 2, scale: 1)
    }
  }

  @Test(arguments: [false, true])
  func `so it is in forcing`(trainsEmbedding: Bool) {
    let fixture = ForcingFixture(
      prompt: 5, count: 12, blockSize: 4, schedule: NoiseSchedule(window: 2))
    let pass = fixture.pass(trainsEmbedding: trainsEmbedding)
    check(pass, fixture.model.layout, "forcing, embedding \(trainsEmbedding)") {
      _ = pass.forwardBackward(
        fixture.example, objective: ForcingObjective(), states: nil, cleanScale: 1, noisyScale: 1)
    }
  }

  @Test(arguments: DrafterKind.allCases, [false, true])
  func `so it is in a drafter`(kind: DrafterKind, ownsEmbedding: Bool) {
    guard kind == .tokens || !ownsEmbedding else { return }
    let fixture = DrafterFixture(
      anchors: [3, 4, 9, 17, 18, 21], length: 26, confidence: ConfidenceHeadTraining(factor: 2),
      kind: kind, ownsEmbedding: ownsEmbedding)
    check(fixture.pass, fixture.model.layout, "\(kind), own embedding \(ownsEmbedding)") {
      _ = fixture.pass.forwardBackward(fixture.example, features: fixture.features, scale: 1)
    }
  }

  /// What was said to be final, with the bits it had then.
  private struct Claim {
    var first: Int
    var bits: [UInt32]
  }

  private func check(
    _ pass: some GradientPass, _ layout: ParameterLayout, _ what: String, run: () -> Void
  ) {
    let (gradients, count) = (pass.gradients, layout.count)
    let claims = Mutex([Claim]())
    pass.didSettle = { first in
      let bits = (first..<count).map { gradients.base[$0].bitPattern }
      claims.withLock { $0.append(Claim(first: first, bits: bits)) }
    }
    pass.clearGradients()
    run()
    let made = claims.withLock { $0 }
    #expect(made.map(\.first) == made.map(\.first).sorted(by: >), "\(what)")
    for claim in made {
      let isFinal = zip(claim.first..<count, claim.bits).allSatisfy {
        gradients.base[$0].bitPattern == $1
      }
      #expect(isFinal, "\(what), from \(claim.first)")
    }
    // Matrices of every layer are told of, one after another.
    for suffix in ["mlp.down_proj.weight", "mlp.gate_proj.weight", "self_attn.o_proj.weight"] {
      let places = layout.entries.filter { $0.name.hasSuffix(suffix) }.map(\.offset)
      #expect(places.count > 1 && Set(places).isSubset(of: made.map(\.first)), "\(what), \(suffix)")
    }
    #expect(made.contains { $0.bits.contains { Float(bitPattern: $0) != 0 } }, "\(what)")
  }
}
