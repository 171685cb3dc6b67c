package import Analysis

/// What `bench decode --prompt-file` says, as text and as JSON.
package struct DecodeReport: Encodable, Sendable {
  package struct Setting: Codable, Sendable {
    package var machine: Machine
    package var blasCore: String
    package var model: String
    package var weights: String
    package var kvType: String
    package var drafter: String
    package var maxTokens: Int
    package var temperature: Float
    /// The rule by which outputs are samples of their own; nil where they must be identical.
    package var verification: String?

    package init(
      machine: Machine, blasCore: String, model: String, weights: String, kvType: String,
      drafter: String, maxTokens: Int, temperature: Float, verification: String? = nil
    ) {
      self.machine = machine
      self.blasCore = blasCore
      self.model = model
      self.weights = weights
      self.kvType = kvType
      self.drafter = drafter
      self.maxTokens = maxTokens
      self.temperature = temperature
      self.verification = verification
    }
  }

  package var setting: Setting
  package var rounds: Int
  package var figures: DecodeFigures
  package var loopShare: Double
  package var withoutLoops: DecodeFigures?

  /// - Parameter comparisons: The runs of each prompt, as many for all.
  package init(_ comparisons: [PromptComparison], setting: Setting) {
    self.setting = setting
    rounds = comparisons.map(\.rounds).min() ?? 0
    figures = DecodeFigures(comparisons)
    let straight = comparisons.filter { !$0.endsInLoop }
    loopShare = 1 - Double(straight.count) / Double(max(1, comparisons.count))
    withoutLoops = straight.isEmpty ? nil : DecodeFigures(straight)
  }

  /// The text; the table has a row of all outputs and one of those that don't end in a loop.
  package var lines: [String] {
    let loops = figures.outputs - (withoutLoops?.outputs ?? 0)
    let rows = [figures.row("all")] + (withoutLoops.map { [$0.row("not ending in a loop")] } ?? [])
    return [
      setting.machine.line(blasCore: setting.blasCore),
      "\(setting.model), \(setting.weights), keys and values \(setting.kvType); drafts: "
        + setting.drafter,
      "\(figures.outputs) prompt\(figures.outputs == 1 ? "" : "s"), plain and speculative in turn, "
        + "at most \(setting.maxTokens) tokens, "
        + (setting.temperature == 0 ? "greedy" : "temperature \(setting.temperature)"),
    ] + TextTable.lines(DecodeFigures.headings, rows) + [
      "\(loops) of \(figures.outputs) outputs end in a loop; medians of \(rounds) "
        + "measurement\(rounds == 1 ? "" : "s"), least and greatest",
      setting.verification.map { "\($0) verification: outputs are samples of one distribution" }
        ?? "identical \(figures.identical ? "yes" : "no")",
    ]
  }

  private enum CodingKeys: CodingKey { case rounds, loopShare, withoutLoops }

  package func encode(to encoder: any Encoder) throws {
    try setting.encode(to: encoder)
    try figures.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(rounds, forKey: .rounds)
    try container.encode(loopShare, forKey: .loopShare)
    try container.encode(withoutLoops, forKey: .withoutLoops)
  }
}
