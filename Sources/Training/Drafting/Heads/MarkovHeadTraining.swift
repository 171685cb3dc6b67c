import Files
import CKernels
package import Drafter
import Tensors

/// Trains a Markov head, which learns from the drafter's own losses.
package struct MarkovHeadTraining: HeadTraining {
  private let markov: MarkovHeadConfiguration

  package init(rank: Int) { markov = MarkovHeadConfiguration(rank: rank) }

  package var configuration: any BlockHeadConfiguration { markov }
  package var setting: (name: String, value: String) { ("markov rank", "\(markov.rank)") }

  /// W2 starts as zeros, so that the head is the identity.
  package func makeLayer(
    _ place: HeadPlace, layout: inout ParameterLayout, product: MatrixProduct
  ) -> any HeadLayer {
    MarkovHeadLayer(
      embedding: layout.add(
        markov.embedding(place),
        initialization: .normal(deviation: 1 / Float(markov.rank).squareRoot())),
      projection: LinearLayer(
        offset: layout.add(markov.projection(place), initialization: .zeros),
        inputs: markov.rank, outputs: place.choices, product: product))
  }
}

/// A bias on a row's logits by the token before it: W2 · W1[previous] (DSpark, arXiv 2607.05147).
private struct MarkovHeadLayer: HeadLayer {
  let embedding: Int  // of W1 [vocabulary][rank] in the flat parameters
  let projection: LinearLayer  // W2 [choices][rank]

  var rank: Int { projection.inputs }

  func offset(of token: Token) -> Int { embedding + Int(token) * rank }

  func makeState(previous: [PreviousRows]) -> any HeadLayerState { MarkovHeadLayerState(self) }
}

private final class MarkovHeadLayerState: HeadLayerState {
  private let layer: MarkovHeadLayer
  private let tokens: FloatBuffer  // [capacity][rank]: W1 of the tokens before
  private let dTokens: FloatBuffer  // [capacity][rank]

  init(_ layer: MarkovHeadLayer) {
    self.layer = layer
    tokens = FloatBuffer(count: DraftChunk.capacity * layer.rank)
    dTokens = FloatBuffer(count: DraftChunk.capacity * layer.rank)
  }

  var previous: PreviousRows? { PreviousRows(values: tokens, width: layer.rank) }

  func forward(_ parameters: UnsafePointer<Float>, _ chunk: DraftChunk) {
    for row in 0..<chunk.count {
      (tokens.base + row * layer.rank).update(
        from: parameters + layer.offset(of: chunk.previous[row]), count: layer.rank)
    }
    layer.projection.forward(
      parameters, rows: chunk.count, x: tokens.base, y: chunk.logits, accumulate: true)
  }

  func backward(
    _ parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, _ chunk: DraftChunk
  ) {
    layer.projection.backward(
      parameters, gradients: gradients, rows: chunk.count, x: tokens.base, dY: chunk.logits,
      dX: dTokens.base)
    for row in 0..<chunk.count {
      ct_add(
        layer.rank, dTokens.base + row * layer.rank,
        gradients + layer.offset(of: chunk.previous[row]))
    }
  }
}
