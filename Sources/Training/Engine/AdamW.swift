import CKernels
import Foundation
package import Tensors

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).
///
/// Decay applies to matrices only, never to norms (``ParameterEntry/decays``).
package final class AdamW: @unchecked Sendable {
  // Unchecked: workers update disjoint ranges of the moments inside `step`.

  package struct Parameters: Sendable, Equatable, Codable {
    package var beta1: Float = 0.9
    package var beta2: Float = 0.95
    package var epsilon: Float = 1e-8
    /// The share of a matrix's values that a rate of 1 would take away in one step.
    package var weightDecay: Float = 0.1

    package init() {}
  }

  package let constants: Parameters
  package let layout: ParameterLayout
  package let first: FloatBuffer
  package let second: FloatBuffer
  package private(set) var stepCount: Int
  private let frozen: Set<String>

  /// Moments of zero, or with `stepCount` steps taken whose moments the caller then fills in.
  ///
  /// - Parameter frozen: Names of tensors that keep their values.
  package init(
    _ constants: Parameters, layout: ParameterLayout, stepCount: Int = 0, frozen: Set<String> = []
  ) {
    self.constants = constants
    self.layout = layout
    self.stepCount = stepCount
    self.frozen = frozen
    first = FloatBuffer(count: layout.count)
    second = FloatBuffer(count: layout.count)
  }

  /// Updates `parameters` in place.
  ///
  /// - Parameters:
  ///   - gradientScale: Multiplies every gradient: the clipping factor.
  ///   - workers: Share the work; results don't depend on how many there are.
  package func step(
    parameters: FloatBuffer, gradients: FloatBuffer, gradientScale: Float, rate: Float,
    workers: Workers
  ) {
    stepCount += 1
    let correction1 = 1 - pow(Double(constants.beta1), Double(stepCount))
    let correction2 = 1 - pow(Double(constants.beta2), Double(stepCount))
    let base = ct_adamw_step(
      step_size: Float(Double(rate) / correction1), root_scale: Float(1 / correction2.squareRoot()),
      beta1: constants.beta1, beta2: constants.beta2, epsilon: constants.epsilon, decay: 0,
      gradient_scale: gradientScale)
    workers.run { [self] worker in
      for entry in layout.entries where !frozen.contains(entry.name) {
        let part = Self.share(entry.range, of: worker, among: workers.count)
        var step = base
        step.decay = entry.decays ? rate * constants.weightDecay : 0
        ct_adamw(
          part.count, step, gradients.base + part.lowerBound, first.base + part.lowerBound,
          second.base + part.lowerBound, parameters.base + part.lowerBound)
      }
    }
  }

  /// A worker's part of a tensor, in whole blocks: which values the kernel takes one by one, and so
  /// how they are rounded, must not depend on the number of workers.
  private static func share(_ range: Range<Int>, of worker: Int, among count: Int) -> Range<Int> {
    let block = 256
    let blocks = (0..<(range.count + block - 1) / block).share(of: worker, among: count)
    return range.lowerBound + min(blocks.lowerBound * block, range.count)..<range.lowerBound
      + min(blocks.upperBound * block, range.count)
  }
}
