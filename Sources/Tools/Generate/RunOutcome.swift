package import Files
package import Speculate

/// What one generation gave.
package struct RunOutcome: Sendable, Equatable {
  /// The tokens of the output.
  package var ids: [Token]
  /// What happened on the way.
  package var statistics: GenerationStatistics

  package init(ids: [Token], statistics: GenerationStatistics) {
    self.ids = ids
    self.statistics = statistics
  }
}
