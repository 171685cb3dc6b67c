package import Files
package import Tensors

/// The sizes of a low-rank bias on a row's logits by the tokens before it, `logits += W2 · s` (DSpark,
/// arXiv 2607.05147; docs/algorithms.md 3.3), where s comes from `W1[previous]`.
package struct MarkovHeadConfiguration: BlockHeadConfiguration {
  package static var name: String { "Markov head" }

  /// What s is, of e = W1[previous] and the row's normed hidden state h.
  package enum Kind: String, Sendable, CaseIterable {
    /// e.
    case vanilla
    /// `σ(G · [h ; e] + b) · e`.
    case gated
    /// `tanh(o)`, beside a memory m that begins each block as zeros: of `(g, c, o) = J · [m ; e ; h] + b` the
    /// next row's m is `σ(g) · m + (1 − σ(g)) · tanh(c)`.
    case rnn
  }

  package var kind: Kind
  /// Values that a token is made, and that its bias is made of.
  package var rank: Int

  package init(rank: Int, kind: Kind) {
    self.rank = rank
    self.kind = kind
  }

  package init(rank: Int) { self.init(rank: rank, kind: .vanilla) }

  package init?(_ file: ConfigurationFile, previousWidth: Int) throws {
    guard try file.integer("markov_rank") != 0,
      let rank = try file.optionalSize("markov_rank", atMost: 4096)
    else { return nil }
    let type = try file.text("markov_head_type") ?? "vanilla"
    guard let kind = Kind(rawValue: type.lowercased()) else {
      throw file.problem(
        "'markov_head_type' \(quoted(type)) is not supported; only "
          + Kind.allCases.map(\.rawValue).joined(separator: ", ") + " are: use another drafter")
    }
    self.rank = rank
    self.kind = kind
  }

  package var summary: String { kind == .vanilla ? "rank \(rank)" : "\(kind), rank \(rank)" }
  package var cost: String? { "Markov " + summary }
  package var previousWidth: Int { rank }

  package func members(previousWidth: Int) -> [String: JSONValue] {
    var members: [String: JSONValue] = ["markov_rank": .integer(rank)]
    if kind != .vanilla { members["markov_head_type"] = .string(kind.rawValue) }
    return members
  }

  /// W1, a row for each token.
  package func embedding(_ place: HeadPlace) -> NamedShape {
    NamedShape("markov_head.markov_w1.weight", [place.vocabularySize, rank])
  }

  /// W2, a row for each draft.
  package func projection(_ place: HeadPlace) -> NamedShape {
    NamedShape("markov_head.markov_w2.weight", [place.choices, rank])
  }

  /// G and b, or J and b; nil for the plain kind.
  private func mixing(_ place: HeadPlace) -> (matrix: NamedShape, bias: NamedShape)? {
    func named(_ name: String, _ shape: [Int]) -> (NamedShape, NamedShape) {
      let name = "markov_head." + name
      return (NamedShape(name + ".weight", shape), NamedShape(name + ".bias", [shape[0]]))
    }
    return switch kind {
    case .vanilla: nil
    case .gated: named("gate_proj", [rank, place.hidden + rank])
    case .rnn: named("joint_proj", [3 * rank, 2 * rank + place.hidden])
    }
  }

  package func tensors(_ place: HeadPlace) -> [NamedShape] {
    [embedding(place), projection(place)]
      + (mixing(place).map { [$0.matrix, $0.bias] } ?? [])
  }

  package func load(
    _ source: any WeightSource, _ place: HeadPlace, format: WeightFormat
  ) throws -> any BlockHead {
    MarkovHead(
      embedding: TokenEmbedding(
        try source.values(embedding(place)), vocabularySize: place.vocabularySize, width: rank,
        format: format),
      projection: try source.matrix(projection(place), format: format),
      mixing: try mixing(place).map {
        MarkovMixing(
          kind: kind, hidden: place.hidden, matrix: try source.matrix($0.matrix, format: format),
          bias: try source.values($0.bias))
      })
  }
}

struct MarkovHead: BlockHead {
  let embedding: TokenEmbedding  // [vocabulary][rank]: W1
  let projection: PackedMatrix  // [choices][rank]: W2
  let mixing: MarkovMixing?

  func makeState(_ room: HeadRoom) -> any BlockHeadState { MarkovState(self, room) }
}

private final class MarkovState: BlockHeadState {
  private let head: MarkovHead
  private let workers: Workers
  private let tokens: FloatBuffer  // [blocks][rank]: W1 of the tokens before
  /// Of rows whose logits lie anywhere: [blocks][choices].
  private let biases: FloatBuffer
  private let memory: MarkovMemory?

  init(_ head: MarkovHead, _ room: HeadRoom) {
    self.head = head
    workers = room.workers
    tokens = FloatBuffer(count: room.blocks * head.embedding.width)
    biases = FloatBuffer(count: room.blocks > 1 ? room.blocks * room.choices : 0)
    memory = head.mixing.map { MarkovMemory($0, room) }
  }

  var previous: PreviousRows? { PreviousRows(values: tokens, width: head.embedding.width) }

  func begin() { memory?.begin() }

  func adjust(_ rows: [DraftedRow]) {
    let (head, tokens, biases, workers) = (head, tokens, biases, workers)
    let rank = head.embedding.width
    for (index, row) in rows.enumerated() {
      let values = tokens.base + index * rank
      if let token = row.previous, Int(token) < head.embedding.vocabularySize {
        head.embedding.copy(token, to: values)
      } else {
        values.update(repeating: 0, count: rank)
      }
    }
    let mixed = memory?.mix(rows, tokens) ?? tokens
    let choices = head.projection.rows
    // Blocks of one length have their rows of a place at equal distances.
    let distance = rows.count > 1 ? rows[1].logits - rows[0].logits : choices
    let isEven =
      distance >= choices
      && zip(rows, rows.dropFirst()).allSatisfy { $1.logits - $0.logits == distance }
    workers.run { worker in
      let panels = (0..<head.projection.panelCount).share(of: worker, among: workers.count)
      guard !isEven else {
        head.projection.multiply(
          mixed.base, stride: rank, into: rows[0].logits, stride: distance, count: rows.count,
          panels: panels, accumulates: true)
        return
      }
      head.projection.multiply(
        mixed.base, stride: rank, into: biases.base, stride: choices, count: rows.count,
        panels: panels)
      let columns = head.projection.rows(of: panels)
      for (index, row) in rows.enumerated() {
        let bias = biases.base + index * choices
        for column in columns { row.logits[column] += bias[column] }
      }
    }
  }
}
