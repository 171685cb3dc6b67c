import Files
package import Verifier

/// Rounds with drafts: those of a source, usually a drafter model, and those that cost no pass, matches
/// in earlier text and what verification threw away. Together they are a tree, of which as much is
/// verified as is expected to pay.
package final class DraftStrategy: RoundStrategy {
  private let source: (any DraftSource)?
  private let choice: DraftChoice
  private let options: FreeDraftOptions
  /// What the output will mostly repeat.
  private let prediction: [Token]
  /// Runners-up of a place that the source may branch to.
  private let branches: Int
  /// What passes cost, for a source that asks where lengths are fixed.
  private let costs: CostModel?
  private var planner: RoundPlanner
  private var free: FreeDrafts?
  private var room = SequenceRoom(capacity: 0, maximumRows: 1)
  /// What the source is asked, from ``begin(_:room:)`` on.
  private var asked: DraftRequest?
  /// Whether it was asked for drafts in this round.
  private var isAsked = false
  /// Rows committed to the source since it last drafted; more than a block's worth is a backlog,
  /// and the next draft's time is not a usual one.
  private var rowsSinceDraft = 0

  /// Rejected rows whose predictions are looked at.
  private static let longestRecycled = 16
  /// Tokens of an output that there is room for at once, where texts are looked up.
  private static let usualOutput = 4096

  /// Branches that raised tau on the embedded pair; what they bring in speed isn't settled.
  package static let usualBranches = 2

  private var recorder: CandidateRecorder?

  /// Makes a strategy.
  ///
  /// - Parameters:
  ///   - source: what drafts, if anything does; it is rewound when the sequence begins.
  ///   - length: how many tokens to draft.
  ///   - choice: how the source's logits become drafts.
  ///   - branches: at how many tokens beside its first choice a source looks at each place; with an
  ///     adaptive length only.
  ///   - free: which drafts are tried that cost no pass.
  ///   - prediction: what the output will mostly repeat; it is looked up like earlier text.
  ///   - costs: what passes cost, for a source that asks although the length is fixed.
  ///   - budget: decides how much to draft, for all that decode together; `nil` for one of the strategy's own.
  ///     With an adaptive length only.
  package init(
    source: (any DraftSource)?, length: DraftLength, choice: DraftChoice = .coupled,
    branches: Int = 0, free: FreeDraftOptions = .none, prediction: [Token] = [],
    costs: CostModel? = nil, budget: DraftBudget? = nil
  ) {
    self.costs = costs
    self.source = source
    self.choice = choice
    self.branches = branches
    options = free
    self.prediction = prediction
    planner = RoundPlanner(length, budget: budget)
  }

  /// Whose experience it is, where that is kept.
  package var way: DraftExperience.Way?

  /// The adaptive length as it has learned so far, to start the next generation with; `nil` if the
  /// length is fixed.
  package var learnedLength: AdaptiveDraftLength? {
    planner.budget.map { AdaptiveDraftLength($0.cost, chances: planner.chances) }
  }

  package func begin(_ sequence: SequenceState, room: SequenceRoom) {
    self.room = room
    let weighsDrafts = sequence.verification != .match
    planner.isChain = weighsDrafts
    // Under the target's own noise drafts would foretell what decides about them.
    let choice = weighsDrafts && choice == .coupled ? .sampled : choice
    let request = DraftRequest(
      chooser: DraftChooser(sequence.sampling, choice: choice, context: sequence.context))
    if weighsDrafts, choice == .sampled {
      request.chooser.distributions = DraftDistributions(vocabulary: sequence.vocabulary)
    }
    request.chooser.recorder = recorder
    request.ends = sequence.endTokens
    request.vocabulary = sequence.vocabulary
    planner.ends = sequence.endTokens
    asked = request
    source?.rewind(to: 0)
    guard !options.isEmpty(isConstrained: sequence.constraint != nil) else { return }
    let capacity = sequence.tokens.count + min(sequence.remaining, Self.usualOutput)
    free = FreeDrafts(options, capacity: capacity + prediction.count)
    if !prediction.isEmpty {
      // It stands behind the end of the prompt once, so that it is found from the first token on.
      free?.commit(sequence.tokens.suffix(SuffixIndex.longest) + prediction)
    }
    free?.commit(sequence.tokens)
  }

  /// Takes other tokens for the end of the output than those of the sequence.
  func end(at tokens: [Token]) {
    planner.ends = tokens
    asked?.ends = tokens
  }

  package func keepCandidates(in recorder: CandidateRecorder?) {
    self.recorder = recorder
    asked?.chooser.recorder = recorder
  }

  /// Has the choices of the source's drafts told, for analysis.
  func tellChoices(to recorder: ChoiceRecorder?) { asked?.chooser.choices = recorder }

  package func reserve(_ positions: Int) throws(SpeculateError) { try source?.reserve(positions) }

  /// Gives the source the features of the next committed positions.
  package func commit(features: UnsafePointer<Float>, rows: Int) {
    source?.commit(features: features, rows: rows)
    rowsSinceDraft += rows
  }

  /// Looks for drafts that cost no pass, and says what the source could draft.
  package func offer(_ sequence: SequenceState, sharing: Int) -> DraftOffer? {
    // The bonus token takes the last place that is left.
    let limit = limit(of: sequence)
    free?.lookUp(sequence.tokens, limit: limit, place: sequence.constraint?.place)
    planner.begin(anchor: sequence.anchor, candidates: candidates)
    // A model drafts no more than an equal part of the target's pass can verify, where nobody weighs them.
    let part = planner.budget == nil ? room.maximumRows / sharing - 1 : limit
    return planner.offer(model: min(limit, source?.maximumDrafts ?? 0, part), rows: limit)
  }

  private func limit(of sequence: SequenceState) -> Int {
    min(sequence.remaining - 1, room.maximumRows - 1)
  }

  /// Asks the source for drafts.
  package func request(_ sequence: SequenceState, drafts count: Int) -> DraftWish? {
    isAsked = count > 0
    guard isAsked, let source, let asked else { return nil }
    let limit = limit(of: sequence)
    asked.reset(after: sequence.tokens, count: count, most: max(count, limit))
    asked.chooser.constrain(to: sequence.constraint?.place)
    // A copy that is kept would make the budget's own curves move when they change.
    if source.readsCosts { asked.costs = planner.budget?.cost ?? costs }
    asked.branching = planner.branching(branches, limit: limit)
    return DraftWish(
      source: source, request: asked, isUsual: rowsSinceDraft <= source.maximumDrafts + 1)
  }

  /// Ranks the source's drafts and the others.
  package func propose(_ sequence: SequenceState) -> RowProposal {
    // What is known about chances belongs to the planner again.
    asked?.branching = nil
    if isAsked, let asked {
      if let place = sequence.constraint?.place { asked.block.keep(allowedAt: place) }
      planner.add(asked.block, before: candidates)
      if !asked.block.tokens.isEmpty { rowsSinceDraft = 0 }
    }
    return planner.propose(limit: room.maximumRows - 1)
  }

  private var candidates: ArraySlice<FreeDrafts.Candidate> { free?.candidates ?? [] }

  package func rows(_ count: Int) -> TokenTree {
    planner.layOut(count)
    return planner.rows
  }

  /// Learns what was accepted, and keeps what the target threw away for later rounds.
  package func settle(
    _ outcome: RoundOutcome, _ sequence: inout SequenceState, accept: (DraftOrigin) -> Void
  ) {
    free?.commit(sequence.tokens.suffix(outcome.path.count))
    // Guesses are made under the noise that chooses tokens, which drafts to be weighed must not know.
    if free?.isRecycling == true, !planner.isChain { recycle(outcome, &sequence) }
    planner.judge(
      sequence.tokens.suffix(outcome.path.count), accepted: outcome.accepted, accept: accept)
  }

  /// Keeps the likeliest drafts behind the last accepted one, and what the target predicted on their
  /// rows.
  private func recycle(_ outcome: RoundOutcome, _ sequence: inout SequenceState) {
    guard sequence.finishReason == nil, outcome.accepted == outcome.path.count - 1 else { return }
    var rejected: [Token] = []
    var predictions: [Token] = []
    var place = sequence.constraint?.place
    var row = outcome.path[outcome.accepted]
    // Of siblings the likeliest stands last.
    while let child = outcome.tree.parents.lastIndex(of: row),
      rejected.count < Self.longestRecycled
    {
      let position = sequence.tokens.count + predictions.count
      guard
        let guess = sequence.guess(outcome.logits[child], position: position, place: place)
      else { break }
      if place?.advance(by: guess) == false { place = nil }
      rejected.append(outcome.tree.tokens[child])
      predictions.append(guess)
      row = child
    }
    free?.recycle(rejected: rejected, predictions: predictions, anchor: sequence.anchor)
  }

  package var origin: DraftOrigin? { planner.origin }

  package var traced: [TracedDraft] { planner.traced }
}
