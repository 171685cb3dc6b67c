import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Training
import Verifier

/// Forcing against central differences and against what its mask stands for.
@Suite struct ForcingGradientTests {
  private static let schedules = [
    NoiseSchedule(window: 3), NoiseSchedule(window: 16), NoiseSchedule(window: 1),
    NoiseSchedule(window: 4, seesNoise: false, decay: 2),
  ]

  /// A window of noisy rows behind its clean text is an ordinary sequence.
  @Test(arguments: schedules)
  func `rows are those of the sequences that the mask stands for`(
    schedule: NoiseSchedule
  ) throws {
    // Long enough for several tiles of rows.
    for (prompt, count, phases) in [(7, 30, [0]), (1, 23, [2, 0, 1]), (5, 150, [1])] {
      let fixture = ForcingFixture(
        prompt: prompt, count: count, blockSize: 5, schedule: schedule,
        phases: phases)
      let example = fixture.example
      let folder = try TemporaryFolder()
      try ModelExport.write(
        fixture.model, configuration: TinyTraining.architecture().configuration(type: .f32),
        tokenizer: nil, to: folder.url)
      let runner = CausalRunner(
        model: try CausalModel(directory: folder.url), workers: Workers(count: 1),
        maximumRows: 160)
      let vocabulary = ForcingFixture.vocabulary
      let logits = fixture.pass().logits(example)
      var rows = 0
      func compare(_ text: [Token], _ places: Range<Int>, first row: Int) throws {
        let cache = try runner.makeCache(capacity: text.count)
        text.withUnsafeBufferPointer { runner.forward($0, cache: cache, logits: .all) }
        for (index, place) in places.enumerated() {
          let own = logits[(row + index) * vocabulary..<(row + index + 1) * vocabulary]
          let other = UnsafeBufferPointer(
            start: runner.logits + place * vocabulary, count: vocabulary)
          let difference = zip(own, other).map { abs($0 - $1) }.max() ?? 0
          #expect(difference < 1e-3, "row \(row + index) differs by \(difference)")
          rows += 1
        }
      }
      let clean = Array(example.tokens.dropLast())
      try compare(clean, 0..<clean.count, first: 0)
      for window in example.windows {
        let before = prompt + window.lowerBound % (count - 1)
        let text = clean[..<before] + example.noisy[window]
        try compare(
          Array(text), text.count - window.count..<text.count,
          first: example.cleanCount + window.lowerBound)
      }
      #expect(
        rows == logits.count / vocabulary && rows == prompt + count - 1 + phases.count * (count - 1)
      )
    }
  }

  @Test(
    arguments: [ForcingObjective(), ForcingObjective(clean: 0.5, divergence: 2)],
    schedules)
  func `every tensor's gradient agrees with central differences`(
    objective: ForcingObjective, schedule: NoiseSchedule
  ) throws {
    for (prompt, count, phases) in [(6, 27, [1, 0]), (1, 140, [1])] {
      let fixture = ForcingFixture(
        prompt: prompt, count: count, blockSize: 4, schedule: schedule, phases: phases)
      try check(fixture, objective, "\(objective), \(schedule), \(prompt) + \(count)")
    }
  }

  @Test func `a frozen embedding has no gradient, and the others keep theirs`() {
    let fixture = ForcingFixture(
      prompt: 6, count: 27, blockSize: 4, schedule: NoiseSchedule(window: 5))
    func gradients(_ trainsEmbedding: Bool) -> [Float] {
      let pass = fixture.pass(trainsEmbedding: trainsEmbedding)
      pass.clearGradients()
      _ = pass.forwardBackward(
        fixture.example, objective: ForcingObjective(), states: nil, cleanScale: 1, noisyScale: 1)
      return Array(UnsafeBufferPointer(start: pass.gradients.base, count: pass.gradients.count))
    }
    let (all, frozen) = (gradients(true), gradients(false))
    let embedding = fixture.model.layout.entries[0].range
    #expect(frozen[embedding].allSatisfy { $0 == 0 } && all[embedding].contains { $0 != 0 })
    #expect(frozen[embedding.upperBound...] == all[embedding.upperBound...])
  }

  @Test func `noise rises over a window and only wrong ends count`() {
    let fixture = ForcingFixture(
      prompt: 3, count: 42, blockSize: 4, schedule: NoiseSchedule(window: 5), phases: [3])
    let example = fixture.example
    #expect(example.noisy.count == 41 && example.windows == [0..<8, 8..<28, 28..<41])
    // Shares 3/4 and 1, then 0, 1/4 … 1, then 0, 1/4 … of blocks of four.
    let wrong = stride(from: 0, to: 40, by: 4).map {
      Int(example.weights[$0..<$0 + 4].reduce(0, +))
    }
    #expect(wrong == [3, 4, 0, 1, 2, 3, 4, 0, 1, 2])
    for (row, weight) in example.weights.enumerated() where weight == 0 {
      #expect(example.noisy[row] == example.tokens[3 + row])
    }
    let clean = ForcingExample(
      fixture.trajectory, schedule: NoiseSchedule(window: 5, seesNoise: false, decay: 2),
      phases: [3])
    #expect(clean.noisy == example.noisy)
    let curve = (0..<4).map { Float(exp(-Double($0) / 2)) }
    #expect(Array(clean.weights.prefix(8)) == [0] + curve.prefix(3) + curve)
    #expect(clean.windows == stride(from: 0, to: 41, by: 4).map { $0..<min($0 + 4, 41) })
  }

  private func check(
    _ fixture: ForcingFixture, _ objective: ForcingObjective, _ name: String
  ) throws {
    let keeps = objective.divergence > 0
    let pass = fixture.pass(keepsTarget: keeps)
    pass.clearGradients()
    let losses = pass.forwardBackward(
      fixture.example, objective: objective, states: keeps ? fixture.states : nil, cleanScale: 1,
      noisyScale: 1)
    let constants = softTargets(fixture, pass)
    let start = loss(fixture, objective, pass, constants)
    let told =
      Double(objective.clean) * losses.clean + Double(objective.divergence) * losses.divergence
      + losses.noisy
    #expect(abs(told - start) < 1e-4 * start, "\(name): \(told) told, \(start) computed")
    var moving = 0
    for entry in fixture.model.layout.entries {
      var random = KeyedRandom(seed: 5, key: entry.name)
      let gradient = unit(entry.range.map { pass.gradients.base[$0] })
      let noise = unit(entry.range.map { _ in Float(random.uniform() - 0.5) })
      for direction in [gradient, unit(zip(gradient, noise).map { 0.3 * $0 + $1 })] {
        let analytic = zip(entry.range, direction).reduce(0.0) {
          $0 + Double(pass.gradients.base[$1.0]) * Double($1.1)
        }
        func moved(_ step: Float) -> Double {
          let values = fixture.model.parameters.base + entry.offset
          let saved = Array(UnsafeBufferPointer(start: values, count: entry.count))
          for i in 0..<entry.count { values[i] += step * direction[i] }
          defer { values.update(from: saved, count: entry.count) }
          return loss(fixture, objective, pass, constants)
        }
        // Fourth-order central differences allow a step large enough for f32.
        let step: Float = 0.01
        let (near, far) = (moved(step) - moved(-step), moved(2 * step) - moved(-2 * step))
        let numeric = (8 * near - far) / (12 * Double(step))
        let scale = max(abs(analytic), abs(numeric), 1e-3 * start)
        if abs(analytic) > 1e-3 * start { moving += 1 }
        #expect(
          abs(analytic - numeric) < 4e-3 * scale,
          "\(entry.name), \(name): \(analytic) analytic, \(numeric) numeric")
      }
    }
    #expect(moving >= fixture.model.layout.entries.count)
  }

  private func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? vector.map { $0 / length } : vector
  }

  private func rows(_ logits: [Float]) -> [[Double]] {
    let vocabulary = ForcingFixture.vocabulary
    return stride(from: 0, to: logits.count, by: vocabulary).map {
      ForcingFixture.logProbabilities(logits[$0..<$0 + vocabulary])
    }
  }

  /// The clean rows' distributions, which the noisy rows are to reach.
  private func softTargets(_ fixture: ForcingFixture, _ pass: ForcingPass) -> [[Double]] {
    rows(pass.logits(fixture.example)).prefix(fixture.example.cleanCount).map { $0.map { exp($0) } }
  }

  /// The objective, row by row.
  private func loss(
    _ fixture: ForcingFixture, _ objective: ForcingObjective, _ pass: ForcingPass,
    _ constants: [[Double]]
  ) -> Double {
    let example = fixture.example
    let all = rows(pass.logits(example))
    var sum = 0.0
    for row in example.responseRows {
      sum -= Double(objective.clean) * all[row][Int(example.tokens[row + 1])]
    }
    if objective.divergence > 0 {
      let hidden = fixture.model.architecture.hiddenSize
      for row in 0..<example.cleanCount {
        let logits = (0..<ForcingFixture.vocabulary).map { token in
          (0..<hidden).reduce(Float(0)) {
            $0 + fixture.states.base[row * hidden + $1]
              * fixture.firstHead.base[token * hidden + $1]
          }
        }
        for (p, q) in zip(ForcingFixture.logProbabilities(logits), all[row]) {
          sum += Double(objective.divergence) * exp(p) * (p - q)
        }
      }
    }
    for (index, weight) in example.weights.enumerated() where weight > 0 {
      let (target, own) = (
        constants[example.promptLength + index % example.copyCount],
        all[example.cleanCount + index]
      )
      for (p, q) in zip(target, own) { sum -= Double(weight) * p * q }
    }
    return sum
  }
}
