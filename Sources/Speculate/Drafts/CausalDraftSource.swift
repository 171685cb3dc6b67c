import Files
package import Tensors
package import Verifier

/// Another causal model with the target's vocabulary as a source of drafts.
///
/// It continues the text greedily, token by token, or in a bounded number of passes by Jacobi
/// iteration, for models that were forced for it. It reads the committed tokens into a cache of its
/// own and asks nothing of the target's states.
package final class CausalDraftSource: DraftSource {
  /// The most drafts of a round.
  package static let longestDraft = 16

  package var taps: [Int] { [] }
  /// The most drafts of one block.
  package var maximumDrafts: Int { min(Self.longestDraft, ownCache.capacity) }

  fileprivate let ownCache: KeyValueCache
  private let shared: CausalDraftPasses
  /// Passes of a round, in which all drafts are iterated on; `nil` for one pass a draft.
  private let limit: Int?
  private var read: [Token] = []  // the tokens in the cache
  private var committed = 0  // the first of them that are known to be committed
  private var guess: [Token] = []
  private var guessStart = 0  // the position of the guess's first token

  // What is being drafted.
  private var request: DraftRequest?
  private var count = 0
  /// The tokens of the next pass, of which the first `lead` are only read.
  private var rows: [Token] = []
  private var lead = 0
  private var iterated: [Token] = []

  /// Makes the run state of one sequence that shares its passes with others.
  ///
  /// - Parameters:
  ///   - capacity: the most committed positions; behind the drafter's own context it drafts nothing.
  ///   - passes: passes of a round, in which all drafts are iterated on; `nil` for one pass a draft.
  /// - Throws: ``SpeculateError`` when there is no room for a cache.
  package init(sharing shared: CausalDraftPasses, capacity: Int, passes: Int?) throws {
    self.shared = shared
    limit = passes
    ownCache = try shared.runner.makeCache(
      capacity: min(
        capacity + Self.longestDraft, shared.runner.model.configuration.maximumContext), room: 1)
  }

  package func reserve(_ positions: Int) throws(SpeculateError) {
    try ownCache.reserve(min(positions + Self.longestDraft, ownCache.capacity))
    read.reserveCapacity(ownCache.room)
  }

  /// Nothing: committed tokens come with the next draft.
  package func commit(features: UnsafePointer<Float>, rows: Int) {}

  package func rewind(to count: Int) {
    committed = min(committed, count)
    keep(min(read.count, count))
    if count < guessStart { guess.removeAll(keepingCapacity: true) }
  }

  package var cache: KeyValueCache? { ownCache }

  package func settle(_ tokens: [Token]) -> Int {
    zip(read, tokens).prefix { $0 == shared.known($1) }.count
  }

  package func adopt(_ tokens: ArraySlice<Token>) {
    read.removeAll(keepingCapacity: true)
    for token in tokens { read.append(shared.known(token)) }
    committed = read.count
  }

  /// Prepares the first pass: what was committed since the last one, the anchor, and a guess.
  package func enter(_ request: DraftRequest) {
    let tokens = request.tokens
    // The last draft is never read.
    count = min(request.count, ownCache.capacity - tokens.count + 1)
    guard count > 0 else { return }
    self.request = request
    rows = catchUp(with: tokens) + [shared.known(tokens[tokens.count - 1])]
    lead = rows.count - 1
    if isIterating {
      iterated = firstGuess(tokens, count: count)
      rows += iterated.dropLast()
    }
    shared.enter(self)
  }

  /// A few passes over what was committed, the anchors, and drafts.
  package func runPasses() { shared.run() }

  private var isIterating: Bool { limit.map { $0 < count } ?? false }

  /// The rows of the next pass behind the cache.
  fileprivate var tree: TokenTree { TokenTree(root: rows[0], chain: rows.dropFirst()) }

  /// Takes what a pass over ``tree`` says; the rows are in the cache now.
  ///
  /// - Parameter logits: those of the rows.
  /// - Returns: whether the drafts are complete.
  fileprivate func take(_ logits: RowLogits) -> Bool {
    guard let request else { return true }
    read += rows
    request.block.passes += 1
    guard isIterating else {
      choose(logits[lead], request)
      if let last = request.block.tokens.last { rows = [last] }
      lead = 0
      return request.block.tokens.count < count ? false : finish(request)
    }
    let next = (0..<count).map {
      Token(Kernels.argmax(logits[lead + $0], count: shared.choices))
    }
    if request.block.passes == limit || next == iterated {
      for row in 0..<count { choose(logits[lead + row], request) }
      return finish(request)
    }
    iterated = next
    keep(request.tokens.count - 1)
    rows = [shared.known(request.tokens[request.tokens.count - 1])] + next.dropLast()
    lead = 0
    return false
  }

  private func finish(_ request: DraftRequest) -> Bool {
    guess.removeAll(keepingCapacity: true)
    guess.append(contentsOf: request.block.tokens)
    guessStart = request.tokens.count
    self.request = nil
    return true
  }

  /// What is left of the last round's drafts, and the end of the text once more.
  private func firstGuess(_ tokens: [Token], count: Int) -> [Token] {
    let used = tokens.count - guessStart
    let left = used < 0 ? [] : guess.dropFirst(used).prefix(count)
    return left
      + (left.count..<count).map {
        shared.known(tokens[tokens.count - 1 - (count - 1 - $0) % tokens.count])
      }
  }

  private func choose(_ row: UnsafeMutablePointer<Float>, _ request: DraftRequest) {
    let draft = request.chooser.choose(
      row, count: shared.choices,
      position: request.tokens.count + request.block.tokens.count)
    request.block.tokens.append(0)
    request.block.confidences.append(0)
    request.set(draft.map { ($0.token, $0.confidence) }, at: request.block.tokens.count - 1)
  }

  /// Brings the cache near all tokens but the anchor.
  ///
  /// - Returns: the few that the next pass can read as well.
  private func catchUp(with tokens: [Token]) -> [Token] {
    let end = tokens.count - 1
    var known = min(committed, end)
    while known < min(read.count, end), read[known] == tokens[known] { known += 1 }
    keep(known)
    committed = end
    if end - known > Self.longestDraft {
      let new = tokens[known..<end].map(shared.known)
      shared.runner.read(new[...], into: ownCache)
      read += new
      return []
    }
    return tokens[known..<end].map(shared.known)
  }

  private func keep(_ count: Int) {
    guard count < read.count else { return }
    read.removeLast(read.count - count)
    ownCache.rewind(to: count)
  }
}

/// The passes of a causal drafter, which the sources of several sequences share.
package final class CausalDraftPasses {
  let runner: CausalRunner
  /// The ids that are drafted are below this.
  let choices: Int
  private var entered: [CausalDraftSource] = []

  /// Rows of a pass: those of one sequence at the most fit.
  private static let maximumRows = 64

  /// Makes the buffers of passes.
  ///
  /// - Parameter tokens: the ids that may be drafted are below this.
  package init(drafter: CausalModel, workers: Workers, maximumSequences: Int, tokens: Int = .max) {
    choices = min(drafter.configuration.vocabularySize, tokens)
    runner = CausalRunner(
      model: drafter, workers: workers, maximumRows: max(Self.maximumRows, maximumSequences))
  }

  /// A token that the drafter can read: another in place of one that its vocabulary lacks.
  func known(_ token: Token) -> Token {
    Int(token) < runner.model.configuration.vocabularySize ? token : 0
  }

  func enter(_ source: CausalDraftSource) { entered.append(source) }

  /// Runs passes until every source has its drafts, each over as many sequences as fit.
  func run() {
    var waiting = entered[...]
    entered.removeAll(keepingCapacity: true)
    while !waiting.isEmpty {
      var forest: [PlantedTree] = []
      var rows = 0
      for source in waiting {
        let tree = source.tree
        guard rows + tree.count <= runner.maximumRows else { break }
        rows += tree.count
        forest.append(PlantedTree(tree, in: source.ownCache))
      }
      runner.forward(forest: forest)
      var unfinished: [CausalDraftSource] = []
      var firstRow = 0
      for (source, planted) in zip(waiting, forest) {
        let count = planted.tree.count
        runner.keep(Array(0..<count), of: planted.tree, firstRow: firstRow, cache: planted.cache)
        if !source.take(RowLogits(runner, firstRow: firstRow)) { unfinished.append(source) }
        firstRow += count
      }
      waiting = waiting.dropFirst(forest.count) + unfinished
    }
  }
}
