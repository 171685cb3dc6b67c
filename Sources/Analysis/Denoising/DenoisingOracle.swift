package import Drafter
package import Files
package import Speculate

/// A drafter whose blocks are drafted again behind every set of their drafts: what a second pass could bring at
/// the most, whatever chose the drafts that it is shown.
///
/// It proposes what one pass does, so that a replay goes its usual way. The text that is replayed says how many
/// drafts of each set's second pass would have been accepted.
package final class DenoisingOracle: DraftSource {
  /// One block.
  package struct Block: Sendable, Equatable {
    /// Drafts accepted of one pass.
    package var onePass: Int
    /// The most that were accepted behind a set of its drafts, the empty one included.
    package var best: Int
    /// The same of sets that are the first drafts.
    package var bestRun: Int
    /// The same of sets that are the surest drafts.
    package var bestSure: Int
    /// Drafts of the block.
    package var drafts: Int
    /// Drafts accepted behind each set: [2^drafts], the bits being places.
    package var accepted: [Int]

    package init(
      onePass: Int, best: Int, bestRun: Int, bestSure: Int, drafts: Int, accepted: [Int]
    ) {
      self.onePass = onePass
      self.best = best
      self.bestRun = bestRun
      self.bestSure = bestSure
      self.drafts = drafts
      self.accepted = accepted
    }
  }

  /// Blocks by text, in order.
  package private(set) var blocks: [[Block]] = []

  private let source: BlockDraftSource
  private var text: [Token] = []
  private var entered: DraftRequest?

  /// Sets grow with powers of two.
  package static let mostDrafts = 10

  /// Asks a source, which is used by the oracle alone.
  package init(_ source: BlockDraftSource) { self.source = source }

  /// Begins a text: prompt and output.
  package func begin(_ text: [Token]) {
    self.text = text
    blocks.append([])
  }

  package var taps: [Int] { source.taps }
  package var maximumDrafts: Int { min(source.maximumDrafts, Self.mostDrafts) }
  package func commit(features: UnsafePointer<Float>, rows: Int) {
    source.commit(features: features, rows: rows)
  }
  package func rewind(to count: Int) { source.rewind(to: count) }
  package func reserve(_ positions: Int) throws(SpeculateError) { try source.reserve(positions) }
  package func enter(_ request: DraftRequest) { entered = request }

  package func runPasses() {
    guard let request = entered else { return }
    entered = nil
    source.policy = OnePass()
    var confidences: [Float] = []
    source.observer = { confidences = $0.distributions.map(\.probability) }
    source.enter(request)
    source.runPasses()
    source.observer = nil
    let drafts = request.block.tokens
    guard request.failure == nil, !drafts.isEmpty else { return }
    let known = text[request.tokens.count...].prefix(drafts.count)
    let whole = (1 << drafts.count) - 1
    var accepted = [Int](repeating: 0, count: whole + 1)
    for set in 0...whole {
      // Behind none or all of its drafts a second pass says what the first did.
      let behind = set == 0 || set == whole ? drafts : draft(drafts, behind: set, request)
      accepted[set] = zip(behind, known).prefix { $0 == $1 }.count
    }
    let order = drafts.indices.sorted { (confidences[$0], -$0) > (confidences[$1], -$1) }
    func best(_ sets: [Int]) -> Int { sets.map { accepted[$0] }.max() ?? 0 }
    blocks[blocks.count - 1].append(
      Block(
        onePass: accepted[0], best: accepted.max() ?? 0,
        bestRun: best((0...drafts.count).map { (1 << $0) - 1 }),
        bestSure: best(
          (0...drafts.count).map { order.prefix($0).reduce(0) { $0 | 1 << $1 } }),
        drafts: drafts.count, accepted: accepted))
  }

  /// What a pass proposes behind some drafts.
  private func draft(_ drafts: [Token], behind set: Int, _ request: DraftRequest) -> [Token] {
    source.policy = PriorPolicy(
      drafts.indices.filter { set >> $0 & 1 == 1 }.map { PlacedToken($0, drafts[$0]) })
    let again = DraftRequest(chooser: request.chooser)
    (again.tokens, again.count, again.most) = (request.tokens, drafts.count, drafts.count)
    source.enter(again)
    source.runPasses()
    return again.block.tokens
  }
}

/// What second passes could bring at the most, over blocks.
package struct OracleFigures: Encodable, Sendable {
  package var blocks: Int
  /// τ of one pass on these blocks, and with the best set of each in hindsight.
  package var tau: Double
  package var best: Double
  package var bestRun: Double
  package var bestSure: Double
  /// What the best sets bring, over texts.
  package var gain: Interval?
  /// The share of blocks in which some set brings something.
  package var share: Double
  /// With the best set where it brings more than the pass costs, and one pass elsewhere: τ, passes of a block,
  /// and speed over that of one pass.
  package var paying: Paying

  package struct Paying: Encodable, Sendable {
    package var tau: Double
    package var passes: Double
    package var speed: Double
  }

  /// Sums blocks up.
  ///
  /// - Parameter texts: the blocks of each.
  package init(_ texts: [[DenoisingOracle.Block]], costs: any RoundCosts) {
    let all = texts.flatMap(\.self)
    blocks = all.count
    let count = Double(max(1, all.count))
    func mean(_ value: (DenoisingOracle.Block) -> Int) -> Double {
      Double(all.reduce(0) { $0 + value($1) }) / count
    }
    tau = 1 + mean(\.onePass)
    best = 1 + mean(\.best)
    bestRun = 1 + mean(\.bestRun)
    bestSure = 1 + mean(\.bestSure)
    share = Double(all.count { $0.best > $0.onePass }) / count
    gain = Bootstrap().interval(
      ofRatio: texts.map { blocks in
        (Double(blocks.reduce(0) { $0 + $1.best - $1.onePass }), Double(blocks.count))
      })
    // The tokens that a pass must bring depend on the speed that comes of it: a few turns settle that.
    func price(_ block: DenoisingOracle.Block) -> (pass: Double, round: Double) {
      (
        costs.drafting(block.drafts),
        costs.drafting(block.drafts) + costs.verifying(block.drafts + 1)
      )
    }
    func sums(_ rate: Double) -> (tokens: Double, cost: Double, passes: Int) {
      all.reduce(into: (0.0, 0.0, 0)) { sums, block in
        let (pass, round) = price(block)
        let pays = Double(block.best - block.onePass) > rate * pass
        sums.0 += Double(1 + (pays ? block.best : block.onePass))
        sums.1 += round + (pays ? pass : 0)
        sums.2 += pays ? 2 : 1
      }
    }
    let usual = sums(.infinity)
    var chosen = usual
    for _ in 0..<8 where chosen.cost > 0 { chosen = sums(chosen.tokens / chosen.cost) }
    paying = Paying(
      tau: chosen.tokens / count, passes: Double(chosen.passes) / count,
      speed: usual.cost > 0 ? (chosen.tokens / chosen.cost) / (usual.tokens / usual.cost) : 1)
  }
}
