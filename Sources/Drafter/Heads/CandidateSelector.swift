package import Files
package import Tensors

/// The sizes of a candidate selector (DFlash 2; docs/algorithms.md 3.3): of a row's likeliest tokens c each gets what
/// it gains behind the token before, `logits[c] += Σ_r A[previous]_r · (W · h)_r · B[c]_r`, with the row's normed
/// hidden state h; no other token can be drafted.
package struct CandidateSelectorConfiguration: BlockHeadConfiguration {
  package static var name: String { "selector" }

  package var rank: Int
  /// How many of a row's tokens are candidates.
  package var candidates: Int

  package init(rank: Int, candidates: Int = 16) {
    self.rank = rank
    self.candidates = candidates
  }

  private enum Key { static let (rank, candidates) = ("selector_rank", "selector_top_k") }

  package init?(_ file: ConfigurationFile, previousWidth: Int) throws {
    guard try DrafterDialect.isSecond(file) else { return nil }
    let section = try DrafterSection(
      own: file.section(DrafterKind.conditioned.settings) ?? file, file: file)
    rank = try section.required(Key.rank, 0...4096)
    guard rank > 0 else { return nil }
    candidates = try section.required(Key.candidates, 1...1024)
  }

  package var summary: String { "rank \(rank), \(candidates) candidates" }
  package var cost: String? { "selector rank \(rank) of \(candidates)" }

  package func members(previousWidth: Int) -> [String: JSONValue] { [:] }

  package var settings: [String: JSONValue] {
    [Key.rank: .integer(rank), Key.candidates: .integer(candidates)]
  }

  /// The settings of a drafter without a selector beside convolutions.
  static let none: [String: JSONValue] = [Key.rank: .integer(0)]

  /// A, a row for each token.
  package func predecessors(_ place: HeadPlace) -> NamedShape {
    NamedShape("candidate_selector.predecessor_codebook", [place.vocabularySize, rank])
  }

  /// B, a row for each draft.
  package func successors(_ place: HeadPlace) -> NamedShape {
    NamedShape("candidate_selector.successor_codebook", [place.choices, rank])
  }

  /// W.
  package func projection(_ place: HeadPlace) -> NamedShape {
    NamedShape("candidate_selector.hidden_projection.weight", [rank, place.hidden])
  }

  package func tensors(_ place: HeadPlace) -> [NamedShape] {
    [predecessors(place), successors(place), projection(place)]
  }

  package func load(
    _ source: any WeightSource, _ place: HeadPlace, format: WeightFormat
  ) throws -> any BlockHead {
    func codebook(_ tensor: NamedShape) throws -> TokenEmbedding {
      TokenEmbedding(
        try source.values(tensor), vocabularySize: tensor.shape[0], width: rank, format: format)
    }
    return CandidateSelector(
      predecessors: try codebook(predecessors(place)), successors: try codebook(successors(place)),
      projection: try source.matrix(projection(place), format: format),
      candidates: min(candidates, place.choices))
  }
}

struct CandidateSelector: BlockHead {
  let predecessors: TokenEmbedding  // [vocabulary][rank]: A
  let successors: TokenEmbedding  // [choices][rank]: B
  let projection: PackedMatrix  // [rank][hidden]: W
  let candidates: Int

  func makeState(_ room: HeadRoom) -> any BlockHeadState { SelectorState(self, room) }
}

private final class SelectorState: BlockHeadState {
  private let head: CandidateSelector
  private let workers: Workers
  /// W · h of the pass's rows: [rows][rank].
  private let gates: FloatBuffer
  /// Rows that are gathered for a product: [rows][hidden].
  private let gathered: FloatBuffer
  /// Its products: [rows][rank].
  private let products: FloatBuffer
  private let context: FloatBuffer  // [rank]: a row of A times its gate
  private let successor: FloatBuffer  // [rank]: a row of B
  private var candidates: [Int] = []
  private var scores: [Float] = []

  /// The logit of what can't be drafted: finite, because an infinite one is a sign of damage, but so low that
  /// its probability is 0 at any temperature and under any noise.
  static let never: Float = -1e30

  init(_ head: CandidateSelector, _ room: HeadRoom) {
    self.head = head
    workers = room.workers
    let rank = head.projection.rows
    gates = FloatBuffer(count: room.rows * rank)
    gathered = FloatBuffer(count: room.rows * head.projection.columns)
    products = FloatBuffer(count: room.rows * rank)
    context = FloatBuffer(count: rank)
    successor = FloatBuffer(count: rank)
    candidates.reserveCapacity(head.candidates + 1)
    scores.reserveCapacity(head.candidates)
  }

  func prepare(_ rows: [DraftedRow]) {
    guard !rows.isEmpty else { return }
    let (head, gathered, products, workers) = (head, gathered, products, workers)
    let (rank, hidden) = (head.projection.rows, head.projection.columns)
    for (index, row) in rows.enumerated() {
      (gathered.base + index * hidden).update(from: row.hidden, count: hidden)
    }
    workers.run { worker in
      head.projection.multiply(
        gathered.base, stride: hidden, into: products.base, stride: rank, count: rows.count,
        panels: (0..<head.projection.panelCount).share(of: worker, among: workers.count))
    }
    for (index, row) in rows.enumerated() {
      (gates.base + row.index * rank).update(from: products.base + index * rank, count: rank)
    }
  }

  func adjust(_ rows: [DraftedRow]) {
    for row in rows { adjust(row) }
  }

  private func adjust(_ row: DraftedRow) {
    let (rank, choices) = (head.projection.rows, head.successors.vocabularySize)
    // One that isn't a number is left in the row, for whoever chooses of it.
    guard Kernels.finiteMaximum(row.logits, count: choices) != nil else { return }
    TopWeights.find(row.logits, count: choices, limit: head.candidates, into: &candidates)
    var isKnown = false
    if let token = row.previous, Int(token) < head.predecessors.vocabularySize {
      head.predecessors.copy(token, to: context.base)
      let gate = gates.base + row.index * rank
      for column in 0..<rank { context.base[column] *= gate[column] }
      isKnown = true
    }
    scores.removeAll(keepingCapacity: true)
    for candidate in candidates {
      var edge: Float = 0
      if isKnown {
        head.successors.copy(Token(candidate), to: successor.base)
        for column in 0..<rank { edge += context.base[column] * successor.base[column] }
      }
      scores.append(row.logits[candidate] + edge)
    }
    row.logits.update(repeating: Self.never, count: choices)
    for (candidate, score) in zip(candidates, scores) { row.logits[candidate] = score }
  }
}
