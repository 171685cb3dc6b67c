package import Foundation
package import Files

/// What every training takes.
package struct RunOptions: Sendable {
  /// How the learning rate rises at first.
  package enum Warmup: Sendable {
    case steps(Int)
    /// Over a share of a stage's steps.
    case share(Double)
  }

  /// The folder of checkpoint, metrics and model, and of what is made on the way to them.
  package var output: URL
  /// Sequences of an optimizer step.
  package var sequences = 8
  package var steps = 2000
  /// The highest learning rate.
  package var learningRate: Float = 1e-3
  /// The last learning rate, as a share of the highest.
  package var floorShare: Float = 0.05
  package var warmup = Warmup.share(0.04)
  package var optimizer = AdamW.Parameters()
  /// Gradients are scaled down to this norm.
  package var clip: Float = 1
  package var seed: UInt64 = 1
  /// Threads of this process.
  package var threads: Int
  /// The processes that the run is spread over.
  package var ranks: any Communicator = SingleRank()
  /// Partial sums of a step's gradient (``Exchange``); nil for what the run's checkpoint says, or one for
  /// each thread of each rank.
  package var lanes: Int?
  /// What they are rounded to; nil for what the run's checkpoint says, or f32.
  package var sumPrecision: SumPrecision?
  /// What the factors of matrix products are rounded to; nil for what the run's checkpoint says, or the
  /// fastest.
  package var precision: ProductPrecision?
  package var checkpointSeconds = 300.0
  /// Steps between held-out measurements; 0 for none before the end.
  package var evaluateEvery = 200
  package var logEvery = 10
  package var exportType = ElementType.bf16

  package init(output: URL, threads: Int) {
    self.output = output
    self.threads = threads
  }

  /// The learning rates of a stage of the run.
  func stage(_ peak: Float, steps: Int) -> CosineSchedule {
    let rise =
      switch warmup {
      case .steps(let count): count
      case .share(let share): Int((share * Double(steps)).rounded(.up))
      }
    return CosineSchedule(peak: peak, floorShare: floorShare, warmupSteps: rise, steps: steps)
  }
}

/// What one kind of training takes, and with it what every training does.
@dynamicMemberLookup
package protocol RecipeOptions: Sendable {
  /// What every training takes; its members are also found in the recipe's options themselves.
  var run: RunOptions { get set }
}

extension RecipeOptions {
  package subscript<Value>(dynamicMember path: WritableKeyPath<RunOptions, Value>) -> Value {
    get { run[keyPath: path] }
    set { run[keyPath: path] = newValue }
  }
}

extension URL {
  /// Where a run with this output folder keeps its checkpoint, and the one before it.
  var trainingCheckpoint: URL { appendingPathComponent("checkpoint.safetensors") }
  var previousCheckpoint: URL { appendingPathComponent("checkpoint.previous.safetensors") }
}
