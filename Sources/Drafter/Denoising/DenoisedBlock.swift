package import Files

/// One sequence's block between its passes: what is drafted of it, and what the last pass says of the rest.
///
/// Places count from 0, the one after the anchor. Whether a mask stands somewhere is said here and nowhere
/// else: a text may hold the mask token like any other. What a policy plans is in `DenoisedBlock+Steps.swift`.
package struct DenoisedBlock: Sendable {
  package internal(set) var anchor: Token = 0
  /// The drafts so far; nil where a mask still stands.
  package internal(set) var drafts: [Token?] = []
  /// What the last pass proposes where a mask stands, each place behind the proposals before it: [drafts].
  package internal(set) var proposals: [Token] = []
  /// How likely drafts and proposals are accepted by the drafter's own account, all before them being right.
  package internal(set) var confidences: [Float] = []
  /// What the last pass over a place says of it: [drafts], or empty where nobody looks.
  package internal(set) var distributions: [RowDistribution] = []
  /// The pass behind which a draft was fixed; 0 for masks and presets.
  package internal(set) var fixedAfter: [Int] = []
  package internal(set) var isPreset: [Bool] = []
  /// Other ways to go on that were drafted before, with their confidences.
  package internal(set) var chains: [Chain] = []
  package internal(set) var meter = DraftMeter()
  /// How many drafts are to be verified, once the block is drafted.
  package internal(set) var width = 0
  /// Whether passes are still to come.
  package internal(set) var isOpen = false
  /// The first place of the pass: what stands before it is context.
  package internal(set) var base = 0
  var biases: [LogitBias] = []
  var softened: [SoftMask] = []
  /// Plans so far that fixed no mask.
  var idlePlans = 0
  var limits = BlockLimits()
  let capacity: Int

  package struct Chain: Sendable, Equatable {
    package var tokens: [Token]
    package var confidences: [Float]

    package init(tokens: [Token], confidences: [Float]) {
      self.tokens = tokens
      self.confidences = confidences
    }
  }

  /// Makes room for blocks of up to `capacity` drafts of a pass.
  package init(capacity: Int) {
    self.capacity = capacity
    drafts.reserveCapacity(capacity)
    proposals.reserveCapacity(capacity)
    confidences.reserveCapacity(capacity)
    fixedAfter.reserveCapacity(capacity)
    isPreset.reserveCapacity(capacity)
  }

  package var passes: Int { meter.passes }

  /// Whether a mask stands at a place.
  package func isMask(_ place: Int) -> Bool {
    drafts.indices.contains(place) && drafts[place] == nil
  }

  package var hasMasks: Bool { drafts.contains(nil) }

  /// The places of the pass where masks stand.
  package var masked: [Int] { drafts.indices.filter { $0 >= base && drafts[$0] == nil } }

  /// Drafts of the pass, masks or not.
  package var passCount: Int { drafts.count - base }

  /// How sure the last pass is of the most probable token of a place, by itself; without distributions, what
  /// the drafter says of the proposal.
  package func certainty(of place: Int) -> Float {
    distributions.indices.contains(place)
      ? distributions[place].probability
      : confidences.indices.contains(place) ? confidences[place] : 0
  }

  /// The draft at a place, or what the last pass proposes for it.
  package func token(at place: Int) -> Token { drafts[place] ?? proposals[place] }

  /// The token that a row of a pass shows, row 0 being the anchor's; nil for a mask.
  func token(ofRow row: Int) -> Token? { token(atPlace: base + row - 1) }

  /// The draft at a place, the anchor before the first; nil for a mask.
  func token(atPlace place: Int) -> Token? {
    place < 0 ? anchor : place < drafts.count ? drafts[place] : nil
  }

  /// What stands before a place: the draft, or what the pass proposes there.
  func shown(before place: Int) -> Token { place == 0 ? anchor : token(at: place - 1) }

  // MARK: What the engine does with it

  package mutating func begin(
    anchor: Token, count: Int, opening: BlockOpening = BlockOpening(),
    limits: BlockLimits = BlockLimits()
  ) {
    self.anchor = anchor
    self.limits = limits
    meter = DraftMeter()
    meter.chains = 1
    (base, width, idlePlans, isOpen) = (0, 0, 0, true)
    chains.removeAll(keepingCapacity: true)
    softened.removeAll(keepingCapacity: true)
    clear(max(1, min(count, opening.width ?? count)))
    for preset in opening.presets where isMask(preset.place) && limits.allow(preset.token) {
      drafts[preset.place] = preset.token
      isPreset[preset.place] = true
    }
    setBiases(opening.biases)
    if !hasMasks { finish(DenoisingEnd()) }
  }

  mutating func clear(_ count: Int) {
    drafts.removeAll(keepingCapacity: true)
    proposals.removeAll(keepingCapacity: true)
    confidences.removeAll(keepingCapacity: true)
    fixedAfter.removeAll(keepingCapacity: true)
    isPreset.removeAll(keepingCapacity: true)
    distributions.removeAll(keepingCapacity: true)
    for _ in 0..<count { appendMask() }
  }

  mutating func appendMask() {
    drafts.append(nil)
    proposals.append(0)
    confidences.append(0)
    fixedAfter.append(0)
    isPreset.append(false)
  }

  mutating func setBiases(_ biases: [LogitBias]) {
    self.biases.removeAll(keepingCapacity: true)
    for bias in biases where bias.value.isFinite { self.biases.append(bias) }
  }

  /// Counts a pass.
  ///
  /// - Parameter rows: rows that went through the layers.
  package mutating func countPass(rows: Int) {
    meter.passes += 1
    meter.rows += rows
    meter.headRows += passCount
  }

  /// Takes what a pass proposes for a mask.
  package mutating func propose(_ token: Token, confidence: Float, at place: Int) {
    proposals[place] = token
    confidences[place] = confidence
  }

  /// Takes what a pass says of a place.
  package mutating func see(_ distribution: RowDistribution, at place: Int) {
    while distributions.count < drafts.count {
      distributions.append(RowDistribution(top: [], logSum: 0, entropy: 0))
    }
    distributions[place] = distribution
  }
}

/// What holds for all drafts of a block.
package struct BlockLimits: Sendable, Equatable {
  /// Tokens that there are, from 0.
  package var vocabulary = Int.max
  /// Fixing it would show a mask.
  package var maskToken: Token = -1
  /// Drafts that may stand behind those that were asked for.
  package var spare = 0

  package init(vocabulary: Int = .max, maskToken: Token = -1, spare: Int = 0) {
    self.vocabulary = vocabulary
    self.maskToken = maskToken
    self.spare = spare
  }

  func allow(_ token: Token) -> Bool {
    token >= 0 && Int(token) < vocabulary && token != maskToken
  }
}
