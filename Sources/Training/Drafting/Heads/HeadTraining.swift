internal import Files
import CKernels
package import Drafter
internal import Tensors

/// How one of a drafter's heads is trained: its configuration, and its part of the objective.
package protocol HeadTraining: Sendable {
  var configuration: any BlockHeadConfiguration { get }

  /// The setting that asks for it, with its value.
  var setting: (name: String, value: String) { get }

  /// Whether it learns from the target's distributions, not only its tokens.
  var needsDistribution: Bool { get }

  /// Appends the head's tensors, with first values that leave the drafter as it is without the head.
  func makeLayer(
    _ place: HeadPlace, layout: inout ParameterLayout, product: MatrixProduct
  ) -> any HeadLayer
}

extension HeadTraining {
  package var needsDistribution: Bool { false }
}

/// A head whose parameters are learnt.
package protocol HeadLayer: Sendable {
  /// Makes what one worker keeps of a chunk of rows after another.
  ///
  /// - Parameter previous: What earlier heads make of the tokens before a chunk's rows.
  func makeState(previous: [PreviousRows]) -> any HeadLayerState
}

/// A head's forward and backward steps on a chunk of rows, in this order; a head does only what concerns it.
package protocol HeadLayerState: AnyObject {
  /// What the head makes of the tokens before a chunk's rows, for later heads; nil for nothing.
  var previous: PreviousRows? { get }

  /// Adjusts the chunk's logits, of which each has its sequence's own token before it.
  func forward(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk)

  /// The head's own weighted losses, once the logits of rows with a target are probabilities.
  func loss(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) -> Double

  /// Adds the gradients of `scale` × ``loss(_:_:)``.
  func backwardLoss(_ gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk, scale: Float)

  /// Adds the gradients of the drafter's losses, once the logits are their own gradient.
  func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk)

  /// How likely each row's likeliest draft is accepted, by this head, after
  /// ``forward(_:_:)``: [rows]; nothing of a head that doesn't say. For tests.
  func confidences(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) -> [Float]
}

extension HeadLayerState {
  package var previous: PreviousRows? { nil }
  package func forward(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) {}
  package func loss(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) -> Double { 0 }
  package func backwardLoss(
    _ gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk, scale: Float
  ) {}
  package func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk
  ) {}
  package func confidences(
    _ parameters: UnsafePointer<Float>, _ chunk: DraftChunk
  ) -> [Float] { [] }
}

/// Drafted rows of whole blocks, as losses and heads work through them.
package struct DraftChunk {
  /// The most rows of a chunk.
  static let capacity = 256

  let count: Int
  let hidden: UnsafePointer<Float>  // [count][hidden], normed
  let previous: UnsafePointer<Token>  // [count], the token before each row's own
  let targets: UnsafePointer<Int32>  // [count], draft indices, negative for none
  let weights: UnsafePointer<Float>  // [count], fixed ones
  /// Logits, then probabilities in rows with a target, then the gradient of logits: [count][choices].
  let logits: UnsafeMutablePointer<Float>
  let choices: Int
  let losses: UnsafePointer<ct_draft_terms>  // [count], once they are known
}
