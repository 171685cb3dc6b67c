package import Drafter
package import Files
package import Tensors

/// Something that guesses how a sequence goes on: a drafter model, a table of past text, a test.
///
/// A source is fed what the target has computed about committed positions and nothing else, so it
/// never has anything to take back after a rejection. It belongs to one sequence at a time. Sources of
/// the same model may share its passes: all that take part enter, and the first to run drafts for all.
package protocol DraftSource: AnyObject {
  /// The target layers whose outputs ``commit(features:rows:)`` wants, 0-based; may be empty.
  var taps: [Int] { get }

  /// The most drafts of one block.
  var maximumDrafts: Int { get }

  /// Takes the features of the next `rows` committed positions, in order from position 0.
  ///
  /// - Parameter features: the target's tapped layer outputs: [rows][taps · width].
  func commit(features: UnsafePointer<Float>, rows: Int)

  /// Forgets committed positions from `count` on; `rewind(to: 0)` starts another sequence.
  func rewind(to count: Int)

  /// Whether it looks at ``DraftRequest/costs``.
  var readsCosts: Bool { get }

  /// Sees that there is memory for `positions`, anchor included; called before passes that need it.
  func reserve(_ positions: Int) throws(SpeculateError)

  /// What it keeps of the committed tokens, for copies; `nil` if it keeps nothing that can be copied.
  var cache: KeyValueCache? { get }

  /// How many positions of ``cache`` hold these tokens, once all that can be is in it.
  func settle(_ tokens: [Token]) -> Int

  /// Learns that ``cache`` holds these tokens now, by copies.
  func adopt(_ tokens: ArraySlice<Token>)

  /// Takes part in the next passes.
  ///
  /// - Parameter request: what is wanted; its block receives the drafts in ``runPasses()``.
  func enter(_ request: DraftRequest)

  /// Drafts for all that entered, sources that share these passes among them.
  func runPasses()
}

extension DraftSource {
  package var readsCosts: Bool { false }
  /// A source that keeps nothing.
  package func reserve(_ positions: Int) throws(SpeculateError) {}
  package var cache: KeyValueCache? { nil }
  package func settle(_ tokens: [Token]) -> Int { 0 }
  package func adopt(_ tokens: ArraySlice<Token>) {}

  func draft(_ request: DraftRequest) {
    enter(request)
    runPasses()
  }
}

/// What a sequence asks of its source in a round.
package final class DraftRequest {
  /// All committed tokens. Features were committed for all but the last, the anchor.
  package var tokens: [Token] = []
  /// How many tokens to propose: `1...maximumDrafts`. A source that can may propose more, up to ``most``.
  package var count = 0
  /// The most drafts that the round can verify.
  package var most = 0
  /// Tokens that end the output.
  package var ends: [Token] = []
  /// Tokens that there are, from 0: a source may be wrong about that.
  package var vocabulary = Int.max
  /// What passes cost, where that is known.
  package var costs: CostModel?
  /// Turns logits into draft tokens, for sources that have logits.
  package var chooser: DraftChooser
  /// How far a source may look beside its first choices; nil for not at all.
  var branching: DraftBranching?
  /// Receives the drafts; empty when the request is made. Fewer than `count` are allowed.
  package var block = DraftBlock()
  /// Why the drafts can't be used, if they can't.
  package private(set) var failure: SpeculateError?

  package init(chooser: DraftChooser) {
    self.chooser = chooser
    block.branches.reserveCapacity(DraftBranching.most)
  }

  package func reset(after tokens: [Token], count: Int, most: Int? = nil) {
    self.tokens = tokens
    self.count = count
    self.most = most ?? count
    failure = nil
    block.removeAll()
    chooser.beginBlock(at: tokens.count)
  }

  /// Takes a draft, or notes that the source has none to give: its logits or confidences aren't numbers.
  func set(_ draft: (token: Token, confidence: Float)?, at place: Int) {
    if let draft, draft.confidence.isFinite {
      block.tokens[place] = draft.token
      block.confidences[place] = draft.confidence
    } else {
      failure = failure ?? .unusable("drafter", position: tokens.count + place)
    }
  }

  /// Takes a drafted block, as far as it is to be verified, and its other ways to go on.
  func take(_ drafted: DenoisedBlock) {
    count = min(drafted.width, max(count, most))
    for place in 0..<count {
      block.tokens.append(0)
      block.confidences.append(0)
      set((drafted.token(at: place), drafted.confidences[place]), at: place)
    }
    block.passes = drafted.meter.passes
    block.passRows = drafted.meter.rows
    for chain in drafted.chains { block.add(chain, width: count, limit: DraftBranching.most) }
  }

  /// Lets go of the text, and of drafts that weren't asked for or can't be used.
  func finish() {
    tokens = []
    costs = nil
    let sound = block.tokens.prefix { $0 >= 0 && Int($0) < vocabulary }.count
    block.truncate(to: failure == nil ? min(count, sound) : 0)
  }
}

package struct DraftBlock: Sendable, Equatable {
  /// The tokens, the first at the position after the anchor.
  package var tokens: [Token] = []
  /// Their probabilities by the source's own account, one for each token, or none at all.
  package var confidences: [Float] = []
  /// Passes that were run for them, as they ran.
  package var passes = 0
  /// Rows of the block that went through the source's layers, where it is a block drafter.
  package var passRows = 0
  /// Other ways to go on.
  package var branches: [DraftBranch] = []

  package init() {}

  mutating func removeAll() {
    tokens.removeAll(keepingCapacity: true)
    confidences.removeAll(keepingCapacity: true)
    branches.removeAll(keepingCapacity: true)
    passes = 0
    passRows = 0
  }

  /// Adds another way to go on as branches, sharing what drafts and branches it begins with.
  package mutating func add(_ chain: DenoisedBlock.Chain, width: Int, limit: Int) {
    var parent = -1
    for (place, token) in chain.tokens.prefix(width).enumerated() {
      if parent == place - 1, tokens.indices.contains(place), tokens[place] == token {
        parent = place
      } else if let shared = branches.firstIndex(where: { $0.parent == parent && $0.token == token }
      ) {
        parent = tokens.count + shared
      } else {
        guard branches.count < limit, chain.confidences[place].isFinite else { return }
        branches.append(
          DraftBranch(
            token: token, parent: parent,
            cell: .branch(.behind, score: max(0, chain.confidences[place]))))
        parent = tokens.count + branches.count - 1
      }
    }
  }

  /// Drops what a grammar forbids, with all that follows it.
  package mutating func keep(allowedAt place: ConstraintPlace) {
    let count = tokens.count
    /// Behind the anchor, each draft and each branch: [1 + drafts + branches].
    var places: [ConstraintPlace?] = [place]
    for token in tokens {
      var next = places[places.count - 1]
      places.append(next?.advance(by: token) == true ? next : nil)
    }
    let kept = places.dropFirst().prefix { $0 != nil }.count
    /// Where each branch stands now: [branches].
    var numbers: [Int] = []
    var left: [DraftBranch] = []
    for branch in branches {
      var next = places[branch.parent + 1]
      let isAllowed = next?.advance(by: branch.token) == true
      places.append(isAllowed ? next : nil)
      numbers.append(kept + left.count)
      guard isAllowed else { continue }
      var own = branch
      if own.parent >= count { own.parent = numbers[own.parent - count] }
      left.append(own)
    }
    tokens.removeLast(count - kept)
    if confidences.count > kept { confidences.removeLast(confidences.count - kept) }
    branches = left
  }

  mutating func truncate(to count: Int) {
    guard count < tokens.count else { return }
    branches.removeAll(keepingCapacity: true)
    tokens.removeLast(tokens.count - count)
    if confidences.count > count { confidences.removeLast(confidences.count - count) }
  }
}
