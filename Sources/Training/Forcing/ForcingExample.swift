package import Files
import Foundation

/// How noisy the blocks of a sequence are, rising linearly from 0 to 1 over a window, then from 0
/// again; and how much their rows count.
package struct NoiseSchedule: Sendable, Equatable {
  /// Blocks of a window.
  package var window: Int
  /// Whether a noisy block sees the noisy blocks before it in its window, rather than clean ones.
  package var seesNoise: Bool
  /// Rows after a block's first wrong token until a row counts 1/e; nil where all count alike. A
  /// decoder keeps what stands first, and guesses behind it again.
  package var decay: Double?

  package init(window: Int = 16, seesNoise: Bool = true, decay: Double? = nil) {
    self.window = window
    self.seesNoise = seesNoise
    self.decay = decay
  }

  /// How much a row counts.
  ///
  /// - Parameter distance: Rows since the first wrong token; negative before it.
  func weight(_ distance: Int) -> Float {
    distance < 0 ? 0 : decay.map { Float(exp(-Double(distance) / $0)) } ?? 1
  }

  /// The wrong share that a block is to have.
  ///
  /// - Parameter place: The block's place in its window.
  func share(_ place: Int) -> Double { window > 1 ? Double(place) / Double(window - 1) : 1 }
}

/// One response packed for forcing: its clean rows, and noisy rows at the same positions.
///
/// Clean rows are prompt and response but for the last token, row after position. Noisy rows stand
/// behind them, in one or more copies: one for each token of the response but the last, a guess in
/// its place. Copies don't see one another; they share the clean rows, which cost as much.
package struct ForcingExample: Sendable {
  /// Prompt and response; the clean rows' inputs and, one on, their targets.
  package let tokens: [Token]
  package let promptLength: Int
  /// The noisy rows' inputs: [copies][copyCount].
  package let noisy: [Token]
  /// How much each row counts, from the first wrong token of a block on; 0 before: [noisy].
  package let weights: [Float]
  /// Noisy rows of one copy that see one another causally, and the clean rows before the first of
  /// them.
  package let windows: [Range<Int>]

  package var cleanCount: Int { tokens.count - 1 }
  /// Noisy rows of a copy; row k of one stands at position `promptLength + k`.
  package var copyCount: Int { cleanCount - promptLength }
  /// The clean rows whose targets are the response's.
  package var responseRows: Range<Int> { promptLength - 1..<cleanCount }
  package var noisyWeight: Double { weights.reduce(0) { $0 + Double($1) } }

  /// Packs a trajectory.
  ///
  /// - Parameters:
  ///   - trajectory: Of a response of at least two tokens behind a prompt.
  ///   - phases: The place in a window that the first block of each copy has. The published schedule
  ///     starts at 0; but where responses are shorter than a window, no block would ever be all wrong.
  package init(_ trajectory: Trajectory, schedule: NoiseSchedule, phases: [Int]) {
    let response = trajectory.response
    precondition(response.promptLength > 0 && response.continuation.count > 1)
    tokens = response.tokens
    promptLength = response.promptLength
    let count = tokens.count - 1 - promptLength
    var (noisy, weights, windows) = ([Token](), [Float](), [Range<Int>]())
    for (copy, phase) in phases.enumerated() {
      for index in trajectory.blocks.indices {
        let place = (index + phase) % schedule.window
        let state = trajectory.state(ofBlock: index, wrongShare: schedule.share(place))
        let rows = noisy.count..<min(noisy.count + state.tokens.count, (copy + 1) * count)
        // The last token has nothing behind it.
        guard !rows.isEmpty else { break }
        noisy += state.tokens.prefix(rows.count)
        weights += rows.map { schedule.weight($0 - rows.lowerBound - state.agreeing) }
        if let last = windows.last, schedule.seesNoise, index > 0, place > 0 {
          windows[windows.count - 1] = last.lowerBound..<rows.upperBound
        } else {
          windows.append(rows)
        }
      }
    }
    self.noisy = noisy
    self.weights = weights
    self.windows = windows
  }
}
