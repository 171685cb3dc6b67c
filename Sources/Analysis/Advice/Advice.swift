/// What to expect of every choice, and which one to take.
package struct Advice: Encodable {
  package let machine: Machine
  package let temperature: Float
  package let texts: Int
  /// The format that the target is stored in.
  package let stored: String
  package let options: [Option]
  package let best: Option?

  package init(machine: Machine, temperature: Float, texts: Int, stored: String, options: [Option])
  {
    self.machine = machine
    self.temperature = temperature
    self.texts = texts
    self.stored = stored
    self.options = options
    best = Self.best(of: options)
  }

  /// By this much another way has to be faster than the usual one, which adapts to other prompts.
  private static let margin = 1.02

  /// The choice to take: the fastest, or the usual one where that is hardly slower.
  package static func best(of options: [Option]) -> Option? {
    guard let fastest = options.max(by: { $0.rate < $1.rate }) else { return nil }
    let usual = options.filter { $0.isUsual && $0.format == fastest.format }
      .max { $0.rate < $1.rate }
    guard let usual, usual.rate * Self.margin > fastest.rate else { return fastest }
    return usual
  }
}
