import Foundation
import Tensors

/// What a gated or recurrent Markov head makes of the token before a row and the row's hidden state.
struct MarkovMixing: Sendable {
  let kind: MarkovHeadConfiguration.Kind
  let hidden: Int
  /// Gated: [rank][hidden + rank], of `[h ; e]`. Recurrent: [3 · rank][2 · rank + hidden], of `[m ; e ; h]`, its
  /// rows those of gate, candidate and output.
  let matrix: PackedMatrix
  let bias: FloatBuffer  // [rows of the matrix]

  var rank: Int { kind == .rnn ? matrix.rows / 3 : matrix.rows }
}

/// The buffers of a mixing Markov head, and what a recurrent one remembers of a pass's rows.
final class MarkovMemory {
  private let mixing: MarkovMixing
  private let workers: Workers
  private let inputs: FloatBuffer  // [blocks][columns of the matrix]
  private let products: FloatBuffer  // [blocks][rows of the matrix]
  private let mixed: FloatBuffer  // [blocks][rank]
  /// m behind each row of the pass: [rows][rank].
  private let states: FloatBuffer
  /// Whether it is known: [rows]. A row whose predecessor was drafted in an earlier pass begins anew.
  private var isKnown: [Bool]

  init(_ mixing: MarkovMixing, _ room: HeadRoom) {
    self.mixing = mixing
    workers = room.workers
    inputs = FloatBuffer(count: room.blocks * mixing.matrix.columns)
    products = FloatBuffer(count: room.blocks * mixing.matrix.rows)
    mixed = FloatBuffer(count: room.blocks * mixing.rank)
    let rows = mixing.kind == .rnn ? room.rows : 0
    states = FloatBuffer(count: rows * mixing.rank)
    isKnown = [Bool](repeating: false, count: rows)
  }

  func begin() {
    for row in isKnown.indices { isKnown[row] = false }
  }

  /// What W2 is multiplied with for rows of one place.
  ///
  /// - Parameter tokens: e of each: [rows][rank].
  /// - Returns: s of each: [rows][rank].
  func mix(_ rows: [DraftedRow], _ tokens: FloatBuffer) -> FloatBuffer {
    let (columns, rank) = (mixing.matrix.columns, mixing.rank)
    for (index, row) in rows.enumerated() {
      let input = inputs.base + index * columns
      let token = tokens.base + index * rank
      if mixing.kind == .rnn {
        if let before = row.before, isKnown[before] {
          input.update(from: states.base + before * rank, count: rank)
        } else {
          input.update(repeating: 0, count: rank)
        }
        (input + rank).update(from: token, count: rank)
        (input + 2 * rank).update(from: row.hidden, count: mixing.hidden)
      } else {
        input.update(from: row.hidden, count: mixing.hidden)
        (input + mixing.hidden).update(from: token, count: rank)
      }
    }
    multiply(rows.count)
    for (index, row) in rows.enumerated() {
      let product = products.base + index * mixing.matrix.rows
      let out = mixed.base + index * rank
      if mixing.kind == .rnn {
        step(product, from: inputs.base + index * columns, into: out, row: row.index)
      } else {
        let token = tokens.base + index * rank
        for column in 0..<rank { out[column] = sigmoid(product[column]) * token[column] }
      }
    }
    return mixed
  }

  private func multiply(_ count: Int) {
    let (mixing, inputs, products, workers) = (mixing, inputs, products, workers)
    workers.run { worker in
      mixing.matrix.multiply(
        inputs.base, stride: mixing.matrix.columns, into: products.base,
        stride: mixing.matrix.rows, count: count,
        panels: (0..<mixing.matrix.panelCount).share(of: worker, among: workers.count),
        bias: mixing.bias.base)
    }
  }

  /// - Parameters:
  ///   - product: gate, candidate and output: [3][rank].
  ///   - state: m before the row: [rank].
  private func step(
    _ product: UnsafePointer<Float>, from state: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>, row: Int
  ) {
    let rank = mixing.rank
    let next = states.base + row * rank
    for column in 0..<rank {
      let gate = sigmoid(product[column])
      next[column] = gate * state[column] + (1 - gate) * tanh(product[rank + column])
      out[column] = tanh(product[2 * rank + column])
    }
    isKnown[row] = true
  }

  private func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
}
