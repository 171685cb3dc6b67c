import Drafter
import Tensors
import Testing
import Training

/// The drafter against central differences: every tensor, along its gradient and along a random
/// direction.
@Suite struct DrafterGradientTests {
  @Test(arguments: [
    [3, 4, 9, 17, 18, 21], [0], [0, 5, 40], Array(stride(from: 2, to: 118, by: 3)),
  ])
  func `every tensor's gradient agrees with central differences`(anchors: [Int]) throws {
    try check(DrafterFixture(anchors: anchors, length: (anchors.last ?? 0) + 4), "\(anchors)")
  }

  /// Blocks whose anchor drafts, too, and blocks whose rows see earlier ones alone.
  @Test(arguments: [(true, false), (false, true), (true, true)])
  func `so it does for other blocks`(samplesAnchor: Bool, isCausal: Bool) throws {
    for objective in [DraftObjective(), DraftObjective(crossEntropy: 0.3, divergence: 0.7)] {
      try check(
        DrafterFixture(
          anchors: [0, 3, 4, 9, 17, 18, 21], length: 26, objective: objective,
          samplesAnchor: samplesAnchor, isCausal: isCausal),
        "\(samplesAnchor), \(isCausal), \(objective)")
    }
  }

  /// A drafter that sees tokens: the context goes through its layers, too.
  @Test(arguments: [
    [3, 4, 9, 17, 18, 21], [0], [0, 5, 40], Array(stride(from: 2, to: 118, by: 3)),
  ])
  func `so it does where tokens are seen`(anchors: [Int]) throws {
    let length = (anchors.last ?? 0) + 4
    for (layers, isOwn, draftVocabulary) in [
      (1, false, 30), (3, false, nil), (2, true, nil), (2, true, 30),
    ] {
      let fixture = DrafterFixture(
        anchors: anchors, length: length, layers: layers, draftVocabulary: draftVocabulary,
        kind: .tokens, ownsEmbedding: isOwn, hasNoise: layers == 3)
      try check(fixture, "\(anchors), \(layers) layers, own \(isOwn)")
    }
  }

  @Test func `so it does where tokens are seen and distributions learnt`() throws {
    for isOwn in [false, true] {
      try check(
        DrafterFixture(
          anchors: [3, 4, 9, 17, 18, 21], length: 26,
          objective: DraftObjective(crossEntropy: 0.3, divergence: 0.7), kind: .tokens,
          ownsEmbedding: isOwn, hasNoise: true), "own \(isOwn)")
    }
  }

  @Test(arguments: [
    DraftObjective(crossEntropy: 0, divergence: 1),
    DraftObjective(crossEntropy: 0, divergence: 0, variation: 3),
    DraftObjective(crossEntropy: 0.3, divergence: 0.5, variation: 2),
  ])
  func `so it does for every term of the objective`(objective: DraftObjective) throws {
    try check(
      DrafterFixture(anchors: [3, 4, 9, 17, 18, 21], length: 26, objective: objective),
      "\(objective)",
      // Total variation has a kink wherever q crosses p.
      tolerance: objective.variation > 0 ? 5e-3 : 1e-3)
  }

  /// It learns about the drafter and leaves it as it is: what it has of it is a constant to its gradient.
  @Test(arguments: ConfidenceHeadTraining.Label.allCases, [nil, 6])
  func `so it does for the confidence head`(
    label: ConfidenceHeadTraining.Label, markovRank: Int?
  ) throws {
    for kind in DrafterKind.allCases {
      let fixture = DrafterFixture(
        anchors: Array(stride(from: 2, to: 118, by: 3)), length: 121, markovRank: markovRank,
        objective: DraftObjective(crossEntropy: 0),
        confidence: ConfidenceHeadTraining(factor: 2, label: label),
        kind: kind)
      // Drafts are right, wrong, and about tokens that can't be drafted.
      #expect(fixture.example.targets.contains(-2))
      try check(fixture, "\(kind), \(label)", only: "confidence_head.")
      let before = fixture.pass.loss(fixture.example, features: fixture.features)
      for _ in 0..<60 {
        fixture.pass.clearGradients()
        _ = fixture.pass.forwardBackward(fixture.example, features: fixture.features, scale: 1)
        for entry in fixture.model.layout.entries {
          let isHead = entry.name.hasPrefix("confidence_head.")
          for index in entry.range {
            let slope = fixture.pass.gradients.base[index]
            if !isHead && slope != 0 { Issue.record("\(entry.name) has a gradient") }
            fixture.model.parameters.base[index] -= 1e-3 * slope
          }
        }
      }
      let after = fixture.pass.loss(fixture.example, features: fixture.features)
      // Of labels that are neither 0 nor 1 most of the loss stays.
      #expect(after < before - 1, "\(before), then \(after)")
    }
  }

  /// It learns to choose among the drafter's candidates, and leaves these as they are.
  @Test(arguments: [nil, 30], [nil, 6])
  func `so it does for the candidate selector`(draftVocabulary: Int?, markovRank: Int?) throws {
    let fixture = DrafterFixture(
      anchors: Array(stride(from: 2, to: 118, by: 3)), length: 121,
      draftVocabulary: draftVocabulary,
      markovRank: markovRank, objective: DraftObjective(crossEntropy: 0),
      selector: CandidateSelectorTraining(rank: 4, candidates: 9, factor: 2))
    try check(fixture, "selector", only: "candidate_selector.")
    let before = fixture.pass.loss(fixture.example, features: fixture.features)
    for _ in 0..<40 {
      fixture.pass.clearGradients()
      _ = fixture.pass.forwardBackward(fixture.example, features: fixture.features, scale: 1)
      for entry in fixture.model.layout.entries {
        let isHead = entry.name.hasPrefix("candidate_selector.")
        for index in entry.range {
          let slope = fixture.pass.gradients.base[index]
          if !isHead && slope != 0 { Issue.record("\(entry.name) has a gradient") }
          fixture.model.parameters.base[index] -= 1e-3 * slope
        }
      }
    }
    let after = fixture.pass.loss(fixture.example, features: fixture.features)
    #expect(before > 1 && after < 0.9 * before, "\(before), then \(after)")
  }

  @Test func `so it does where certainty is forced`() throws {
    let anchors = Array(stride(from: 1, to: 300, by: 2))
    for objective in [
      DraftObjective(crossEntropy: 0.1, certainty: 3),
      DraftObjective(crossEntropy: 0.1, divergence: 0.1, certainty: 3),
    ] {
      var fixture = DrafterFixture(anchors: anchors, length: 304, objective: objective)
      fixture.leaveOutTies()
      let loss = fixture.pass.loss(fixture.example, features: fixture.features)
      var calm = objective
      calm.certainty = 0
      let other = DrafterFixture(anchors: anchors, length: 304, objective: calm)
      // Some drafts are right already, or nothing is tested.
      #expect(loss > other.pass.loss(fixture.example, features: other.features) + 5)
      try check(fixture, "\(objective)", tolerance: 5e-3)
    }
  }

  /// Weights that follow the losses have no gradient of their own.
  @Test func `paced weights are constants to the gradient`() throws {
    var objective = DraftObjective(crossEntropy: 0.5, divergence: 0.5, rowWeights: .pace)
    let anchors = Array(stride(from: 1, to: 240, by: 3))
    let paced = DrafterFixture(anchors: anchors, length: 242, objective: objective)
    paced.pass.clearGradients()
    let loss = paced.pass.forwardBackward(paced.example, features: paced.features, scale: 0.5)

    // The cross-entropy of one row after the other, by weights that leave out all others.
    objective.rowWeights = .decay(nil)
    let fixed = DrafterFixture(anchors: anchors, length: 242, objective: objective)
    var example = fixed.example
    let probe = DrafterFixture(anchors: anchors, length: 242)
    var alone = probe.example
    let count = alone.weights.count
    let losses = (0..<count).map { row -> Float? in
      guard alone.targets[row] >= 0 else { return nil }
      alone.weights = (0..<count).map { $0 == row ? 1 : 0 }
      return Float(probe.pass.loss(alone, features: probe.features))
    }
    #expect(losses.contains(nil) && losses.contains { $0 != nil })
    example.weights = stride(from: 0, to: count, by: 4).flatMap {
      DraftWeights.pace(Array(losses[$0..<$0 + 4]))
    }
    #expect(Set(example.weights).count > 50)
    fixed.pass.clearGradients()
    let expected = fixed.pass.forwardBackward(example, features: fixed.features, scale: 0.5)
    #expect(abs(loss - expected) < 1e-4 * expected, "\(loss), not \(expected)")
    for index in 0..<fixed.pass.gradients.count {
      let (own, other) = (paced.pass.gradients.base[index], fixed.pass.gradients.base[index])
      guard abs(own - other) < 1e-4 * max(1, abs(other)) else {
        Issue.record("gradient \(index) is \(own), not \(other)")
        return
      }
    }
  }

  @Test func `paces follow the paper`() {
    let sure = DraftWeights.pace([0, 0, 0, 0])
    #expect(sure == [1, 0.75, 0.5, 0.25])
    // Of a row that is never right, half is left; nothing is behind a row without a token.
    #expect(DraftWeights.pace([.infinity, 0, nil, 0]) == [0.25, 0.125, 0, 0])
  }

  private func check(
    _ fixture: DrafterFixture, _ name: String, tolerance: Double = 1e-3, only prefix: String = ""
  ) throws {
    let entries = fixture.model.layout.entries.filter { $0.name.hasPrefix(prefix) }
    fixture.pass.clearGradients()
    _ = fixture.pass.forwardBackward(
      fixture.example, features: fixture.features, scale: 1)
    var moving = 0
    for entry in entries {
      for direction in directions(entry, fixture) {
        let analytic = zip(entry.range, direction).reduce(0.0) {
          $0 + Double(fixture.pass.gradients.base[$1.0]) * Double($1.1)
        }
        let numeric = derivative(entry, along: direction, fixture)
        // The loss, a sum over all rows in f32, leaves noise in a difference.
        let noise = 0.1 + 0.003 * fixture.example.totalWeight
        let scale = max(abs(analytic), abs(numeric), noise)
        if scale > noise { moving += 1 }
        #expect(
          abs(analytic - numeric) < tolerance * max(scale, 5 * noise),
          "\(entry.name), \(name): \(analytic) analytic, \(numeric) numeric")
      }
    }
    // With no context at all, fc and hidden_norm and nothing else have no gradient.
    #expect(moving >= entries.count)
  }

  /// The gradient itself and a mix of it with noise, each of length 1.
  private func directions(_ entry: ParameterEntry, _ fixture: DrafterFixture) -> [[Float]] {
    var random = KeyedRandom(seed: 5, key: entry.name)
    let gradient = unit(entry.range.map { fixture.pass.gradients.base[$0] })
    let noise = unit(entry.range.map { _ in Float(random.uniform() - 0.5) })
    return [gradient, unit(zip(gradient, noise).map { 0.3 * $0 + $1 })]
  }

  private func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? vector.map { $0 / length } : vector
  }

  private func derivative(
    _ entry: ParameterEntry, along direction: [Float], _ fixture: DrafterFixture
  ) -> Double {
    func moved(_ step: Float) -> Double {
      let values = fixture.model.parameters.base + entry.offset
      let saved = Array(UnsafeBufferPointer(start: values, count: entry.count))
      for i in 0..<entry.count { values[i] += step * direction[i] }
      defer { values.update(from: saved, count: entry.count) }
      return fixture.pass.loss(fixture.example, features: fixture.features)
    }
    // Fourth-order central differences allow a step large enough for f32.
    let step: Float = 0.01
    let (near, far) = (moved(step) - moved(-step), moved(2 * step) - moved(-2 * step))
    return (8 * near - far) / (12 * Double(step))
  }
}
