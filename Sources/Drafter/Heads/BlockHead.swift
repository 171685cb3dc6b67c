package import Files
package import Tensors

/// A part of a drafter behind its layers: it changes a row's logits once the token before is chosen, or says
/// how far a choice is to be trusted.
///
/// Immutable and shared between sequences, as all weights are.
package protocol BlockHead: Sendable {
  /// Makes what the head keeps of one pass after another.
  func makeState(_ room: HeadRoom) -> any BlockHeadState
}

/// What a head keeps of a draft pass.
package protocol BlockHeadState: AnyObject {
  /// What the head made of the tokens before the rows it adjusted last, for later heads; nil for nothing.
  var previous: PreviousRows? { get }

  /// Forgets the rows of the pass before.
  func begin()

  /// Takes all rows of a pass that are still to be chosen.
  func prepare(_ rows: [DraftedRow])

  /// Adjusts rows of one place, each of another block, before any of them is chosen.
  ///
  /// The rows come together so that weights are read once for all of them; what happens to one depends on
  /// none of the others.
  func adjust(_ rows: [DraftedRow])

  /// How likely the draft of a row is accepted, all before it being right.
  ///
  /// - Parameters:
  ///   - row: The row's index.
  ///   - probability: By the drafter's distribution, or what an earlier head made of it.
  func confidence(of row: Int, probability: Float) -> Float
}

extension BlockHeadState {
  package var previous: PreviousRows? { nil }
  package func begin() {}
  package func prepare(_ rows: [DraftedRow]) {}
  package func adjust(_ rows: [DraftedRow]) {}
  package func confidence(of row: Int, probability: Float) -> Float { probability }
}

/// A row of a pass that a draft is chosen of.
package struct DraftedRow: @unchecked Sendable {
  // Unchecked: a region's workers divide the logits among themselves.

  /// The row's number among all that a pass may draft.
  package var index: Int
  /// What the layers made of it, normed: [hidden].
  package var hidden: UnsafePointer<Float>
  /// [choices]
  package var logits: UnsafeMutablePointer<Float>
  /// The token before it; nil while that is a mask.
  package var previous: Token?
  /// The number of the row that stands before it in its block, which heads with a memory go on from; nil for the
  /// block's first.
  package var before: Int?

  package init(
    index: Int, hidden: UnsafePointer<Float>, logits: UnsafeMutablePointer<Float>,
    previous: Token? = nil, before: Int? = nil
  ) {
    self.index = index
    self.hidden = hidden
    self.logits = logits
    self.previous = previous
    self.before = before
  }
}

/// What a head makes of the tokens before the rows that it works on.
package struct PreviousRows {
  /// [rows][width], in the order of the rows.
  package let values: FloatBuffer
  package let width: Int

  package init(values: FloatBuffer, width: Int) {
    self.values = values
    self.width = width
  }
}

/// How much a head must have room for, and what it works with.
package struct HeadRoom {
  package var rows: Int
  package var blocks: Int
  package var choices: Int
  package var workers: Workers
  /// What earlier heads make of the tokens before rows.
  package var previous: [PreviousRows] = []

  package init(rows: Int, blocks: Int, choices: Int, workers: Workers) {
    self.rows = rows
    self.blocks = blocks
    self.choices = choices
    self.workers = workers
  }
}
