package import Drafter
package import Speculate

/// What a way to denoise blocks brought on known texts.
package struct PolicyFigures: Sendable {
  /// One text.
  package struct Term: Sendable, Equatable {
    package var tokens = 0
    package var rounds = 0
    /// Of the drafter.
    package var passes = 0
    /// Of target passes.
    package var rows = 0
    /// Of the drafter's passes.
    package var draftRows = 0
    /// By a table of what passes cost.
    package var cost = 0.0
  }

  package let name: String
  package private(set) var terms: [Term] = []
  private var locals: [Double] = []
  private var globals: [Double] = []

  package init(_ name: String) { self.name = name }

  /// Adds the rounds of a text.
  package mutating func add(_ rounds: [DraftReplay.Round], cost: CostModel) {
    terms.append(
      rounds.reduce(
        into: Term(rounds: rounds.count, cost: cost.seconds(of: rounds))
      ) { term, round in
        term.tokens += round.emitted
        term.passes += round.passes
        term.rows += round.rows
        term.draftRows += round.passRows
      })
  }

  /// Adds the order in which a block's drafts were fixed.
  package mutating func add(_ block: DenoisedBlock) {
    let order = RevealOrder(block)
    if let local = order.local() { locals.append(local) }
    if let global = order.global() { globals.append(global) }
  }

  package var sum: Term {
    terms.reduce(into: Term()) { sum, term in
      sum.tokens += term.tokens
      sum.rounds += term.rounds
      sum.passes += term.passes
      sum.rows += term.rows
      sum.draftRows += term.draftRows
      sum.cost += term.cost
    }
  }

  /// Mean acceptance length, the bonus token included.
  package var tau: Double { ratio(Double(sum.tokens), Double(sum.rounds)) }
  /// Tokens per unit of cost: a second, or a plain step.
  package var rate: Double { ratio(Double(sum.tokens), sum.cost) }
  package var passesPerRound: Double { ratio(Double(sum.passes), Double(sum.rounds)) }
  package var rowsPerRound: Double { ratio(Double(sum.rows), Double(sum.rounds)) }
  package var draftRowsPerRound: Double { ratio(Double(sum.draftRows), Double(sum.rounds)) }
  /// How often a draft was fixed next to the one before, on its right.
  package var localOrder: Double? { mean(locals) }
  /// How often the leftmost mask was fixed.
  package var globalOrder: Double? { mean(globals) }

  /// The same of some texts alone.
  package func of(_ texts: [Int]) -> PolicyFigures {
    var part = PolicyFigures(name)
    part.terms = texts.map { terms[$0] }
    return part
  }

  /// τ over another's, over the texts of both.
  package func tau(over other: PolicyFigures) -> PairedComparison {
    PairedComparison(
      other.terms.map { (Double($0.tokens), Double($0.rounds)) },
      terms.map { (Double($0.tokens), Double($0.rounds)) })
  }

  /// Speed over another's, over the texts of both.
  package func rate(over other: PolicyFigures) -> PairedComparison {
    PairedComparison(
      other.terms.map { (Double($0.tokens), $0.cost) }, terms.map { (Double($0.tokens), $0.cost) })
  }

  private func ratio(_ part: Double, _ whole: Double) -> Double { whole > 0 ? part / whole : 0 }

  private func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
