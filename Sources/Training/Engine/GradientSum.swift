import CKernels
import Foundation
import Synchronization
public import Tensors

/// Adds the workers' gradients and measures them.
public enum GradientSum {
  /// Adds all buffers into the first and returns the norm of the sum.
  ///
  /// The order of additions depends on how many buffers there are, never on timing.
  public static func reduce(_ gradients: [FloatBuffer], workers: Workers) -> Double {
    precondition(!gradients.isEmpty, "there is at least one gradient")
    let count = gradients[0].count
    let squares = Mutex([Double](repeating: 0, count: workers.count))
    workers.run { worker in
      let part = (0..<count).share(of: worker, among: workers.count)
      let sum = gradients[0].base + part.lowerBound
      for other in gradients.dropFirst().dropLast(gradients.count > 1 ? 1 : 0) {
        ct_add(part.count, other.base + part.lowerBound, sum)
      }
      let value =
        gradients.count > 1
        ? ct_add_and_sum_squares(
          part.count, gradients[gradients.count - 1].base + part.lowerBound, sum)
        : ct_sum_squares(part.count, sum)
      squares.withLock { $0[worker] = value }
    }
    return squares.withLock { $0.reduce(0, +) }.squareRoot()
  }
}
