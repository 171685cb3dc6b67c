import Analysis
import Drafter
import Speculate

/// What ways to denoise brought, as JSON; as a table in `PolicyReport+Lines.swift`.
struct PolicyReport: Encodable {
  let machine: Machine
  let texts: Int
  /// Texts that policies learned from before.
  let practised: Int
  let drafts: Int
  /// Whether costs were measured; else they are in plain steps.
  let isMeasured: Bool
  let policies: [Policy]
  /// By what prompts are about; none where that is one thing.
  let categories: [Category]
  let rows: RowProfile
  let oracle: OracleFigures?
  /// Of what the first drafter's products take; nil where nobody asked.
  let tails: TailProfile?
  /// Of its matrices as stored.
  var matrices: TailProfile?

  struct Policy: Encodable {
    let name: String
    let tau: Double
    let passes: Double
    let rows: Double
    let draftRows: Double
    /// Tokens per second, or per plain step.
    let rate: Double
    /// Over plain decoding.
    let speedup: Double
    /// Over one pass, on the same texts.
    let tauRatio: PairedComparison
    let speedRatio: PairedComparison
    let localOrder: Double?
    let globalOrder: Double?
    /// Passes of a block that FreeDave would take for the same drafts.
    let verifiedPasses: Double?
  }

  struct Category: Encodable {
    let name: String
    let texts: Int
    let policies: [Part]

    struct Part: Encodable {
      let name: String
      let tau: Double
      let speedRatio: PairedComparison
    }
  }

  /// - Parameter texts: what each text's prompt is about.
  init(
    machine: Machine, texts: [String], practised: Int, drafts: Int, isMeasured: Bool,
    cost: CostModel, figures: [PolicyFigures], verifications: [SelfVerification?],
    profile: RowProfile, oracle: OracleFigures?,
    tails: TailProfile?
  ) {
    self.machine = machine
    self.texts = texts.count
    self.practised = practised
    self.drafts = drafts
    self.isMeasured = isMeasured
    rows = profile
    self.oracle = oracle
    self.tails = tails
    policies = zip(figures, verifications).map { one, verification in
      Policy(
        name: one.name, tau: one.tau, passes: one.passesPerRound, rows: one.rowsPerRound,
        draftRows: one.draftRowsPerRound, rate: one.rate, speedup: one.rate * cost.verify(1),
        tauRatio: one.tau(over: figures[0]), speedRatio: one.rate(over: figures[0]),
        localOrder: one.localOrder, globalOrder: one.globalOrder,
        verifiedPasses: verification.flatMap {
          $0.blocks > 0 ? Double($0.calls) / Double($0.blocks) : nil
        })
    }
    let names = texts.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    categories =
      names.count < 2
      ? []
      : names.map { name in
        let own = texts.indices.filter { texts[$0] == name }
        let base = figures[0].of(own)
        return Category(
          name: name, texts: own.count,
          policies: figures.map {
            let part = $0.of(own)
            return Category.Part(
              name: part.name, tau: part.tau, speedRatio: part.rate(over: base))
          })
      }
  }
}
