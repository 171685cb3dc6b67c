import CKernels
import Foundation
import Synchronization
package import Tensors

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
