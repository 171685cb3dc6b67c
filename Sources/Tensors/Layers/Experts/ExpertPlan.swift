/// Which rows of a pass go through which experts, and what the outputs weigh.
///
/// A slot is one row's way through one expert. Slots are sorted by expert, and those of an expert by
/// row, so that a pass reads each chosen expert once.
final class ExpertPlan: @unchecked Sendable {
  // Unchecked: written between regions, read during them.
  private let experts: Int
  private let chosen: Int
  private let choices: UnsafeMutablePointer<Int32>  // [maximumRows][chosen]
  private let choiceWeights: FloatBuffer  // [maximumRows][chosen]
  private let starts: UnsafeMutablePointer<Int>  // [experts + 1]: the first slot of each
  private let used: UnsafeMutablePointer<Int>  // [experts]
  private let rows: UnsafeMutablePointer<Int>  // [maximumRows · chosen]
  private let weights: FloatBuffer  // [maximumRows · chosen]

  /// How many experts rows of the pass go through.
  private(set) var usedCount = 0

  init(maximumRows: Int, experts: Int, chosen: Int) {
    self.experts = experts
    self.chosen = chosen
    choices = .allocate(capacity: maximumRows * chosen)
    choices.initialize(repeating: 0, count: maximumRows * chosen)
    choiceWeights = FloatBuffer(count: maximumRows * chosen)
    starts = .allocate(capacity: experts + 1)
    starts.initialize(repeating: 0, count: experts + 1)
    used = .allocate(capacity: experts)
    used.initialize(repeating: 0, count: experts)
    rows = .allocate(capacity: maximumRows * chosen)
    rows.initialize(repeating: 0, count: maximumRows * chosen)
    weights = FloatBuffer(count: maximumRows * chosen)
  }

  deinit {
    choices.deallocate()
    starts.deallocate()
    used.deallocate()
    rows.deallocate()
  }

  /// Plans a pass.
  ///
  /// - Parameters:
  ///   - logits: The router's, `[rows][experts]`; overwritten.
  ///   - rows: How many rows the pass has.
  /// - Complexity: O(rows · experts).
  func make(_ logits: FloatBuffer, rows count: Int, weighting: ExpertWeighting) {
    for row in 0..<count {
      ExpertChoice.choose(
        logits.base + row * experts, count: experts, chosen: chosen, weighting: weighting,
        experts: choices + row * chosen, weights: choiceWeights.base + row * chosen)
    }
    starts.update(repeating: 0, count: experts + 1)
    for choice in 0..<count * chosen { starts[Int(choices[choice]) + 1] += 1 }
    usedCount = 0
    for expert in 0..<experts {
      if starts[expert + 1] > 0 {
        used[usedCount] = expert
        usedCount += 1
      }
      starts[expert + 1] += starts[expert]
    }
    for choice in 0..<count * chosen {
      let expert = Int(choices[choice])
      rows[starts[expert]] = choice / chosen
      weights.base[starts[expert]] = choiceWeights.base[choice]
      starts[expert] += 1
    }
    // Each start has moved to the next one's.
    for expert in stride(from: experts, to: 0, by: -1) { starts[expert] = starts[expert - 1] }
    starts[0] = 0
  }

  /// The experts of the pass, ascending.
  func expert(_ index: Int) -> Int { used[index] }

  /// The slots of an expert.
  func slots(of expert: Int) -> Range<Int> { starts[expert]..<starts[expert + 1] }

  /// The row of a slot.
  func row(of slot: Int) -> Int { rows[slot] }

  /// What the output of a slot weighs.
  func weight(of slot: Int) -> Float { weights.base[slot] }
}
