import CKernels
import Foundation
import Synchronization
package import Tensors

/// What the loss of a batch is summed in, as bytes that can be sent.
package protocol LossSum: Sendable, BitwiseCopyable {
  init()
  static func += (sum: inout Self, other: Self)
}

extension Double: LossSum {}

/// What stands between gradients and the optimizer's step: who takes which sequences of a batch, and in
/// which order what they give is summed.
///
/// A batch is dealt out to numbered lanes by its sequences' numbers. Each lane has a gradient and a loss
/// of its own, to which its sequences are added one after another; then the lanes are added in the order
/// of their numbers. So a sum depends on how many lanes there are and on nothing else: not on timing, and
/// not on how many processes the lanes are spread over. Processes that hold lanes side by side can hand
/// a partial sum along from the first to the last, piece by piece.
///
/// The rest of a step every process works out alike: which sequences it visits and what they weigh, the
/// gradient's norm, AdamW.
package protocol Exchange: Sendable {
  /// Lanes of the whole run.
  var laneCount: Int { get }
  /// The lanes of this process, one for each of its workers.
  var lanes: Range<Int> { get }

  /// The sum of the losses of all lanes.
  ///
  /// - Parameter own: Those of this process's lanes.
  /// - Throws: When another process can't be reached.
  func sum<Losses: LossSum>(_ own: [Losses]) throws -> Losses

  /// Adds the gradients of all lanes into `own[0]`; returns the sum's norm.
  ///
  /// - Parameters:
  ///   - own: Those of this process's lanes.
  /// - Throws: When another process can't be reached.
  func sum(_ own: [FloatBuffer], workers: Workers) throws -> Double
}

/// All lanes in one process.
package struct LocalExchange: Exchange {
  package let laneCount: Int
  package var lanes: Range<Int> { 0..<laneCount }

  package func sum<Losses: LossSum>(_ own: [Losses]) -> Losses {
    own.reduce(into: Losses()) { $0 += $1 }
  }

  package func sum(_ own: [FloatBuffer], workers: Workers) -> Double {
    GradientSum.reduce(own, workers: workers)
  }
}

/// Adds gradients and measures them.
package enum GradientSum {
  /// Adds all buffers into the first and returns the norm of the sum.
  ///
  /// The order of additions depends on how many buffers there are, never on timing or on how many
  /// workers share the work.
  package static func reduce(_ gradients: [FloatBuffer], workers: Workers) -> Double {
    precondition(!gradients.isEmpty, "there is at least one gradient")
    let (count, parts) = (gradients[0].count, gradients.count)
    let squares = Mutex([Double](repeating: 0, count: parts))
    workers.run { worker in
      for index in (0..<parts).share(of: worker, among: workers.count) {
        let part = (0..<count).share(of: index, among: parts)
        let sum = gradients[0].base + part.lowerBound
        for other in gradients.dropFirst().dropLast(parts > 1 ? 1 : 0) {
          ct_add(part.count, other.base + part.lowerBound, sum)
        }
        let value =
          parts > 1
          ? ct_add_and_sum_squares(part.count, gradients[parts - 1].base + part.lowerBound, sum)
          : ct_sum_squares(part.count, sum)
        squares.withLock { $0[index] = value }
      }
    }
    return squares.withLock { $0.reduce(0, +) }.squareRoot()
  }
}
