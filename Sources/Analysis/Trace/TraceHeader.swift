package import Files
import Foundation
package import Speculate

/// The first line of a trace: what was run, on what.
package struct TraceHeader: Codable, Sendable, Equatable {
  /// Always `trace`.
  package var kind = "trace"
  /// The version of the format.
  package var version = TraceHeader.version
  package var machine: Machine
  /// What was run; generations name these by index.
  package var configurations: [TraceConfiguration]
  /// A digest of the prompts and of how they were run, so that only the same run is resumed.
  package var plan: String?

  /// The version that this program writes, and the newest that it reads.
  package static let version = 1

  package init(machine: Machine, configurations: [TraceConfiguration], plan: String? = nil) {
    self.machine = machine
    self.configurations = configurations
    self.plan = plan
  }
}

/// One way of decoding whose generations a trace holds.
package struct TraceConfiguration: Codable, Sendable, Equatable {
  package var name: String
  package var target: String
  /// The fingerprint of its weights; nil in older traces.
  package var targetWeights: String?
  /// The drafter's folder; nil for decoders without one.
  package var drafter: String?
  /// The fingerprint of its weights; nil without one, and in older traces.
  package var drafterWeights: String?
  /// How tokens were produced, such as `plain` or `drafter`.
  package var decoder: String
  /// Drafts of a block; nil for as many as pay, and for plain decoding.
  package var draftLength: Int?
  package var maximumDrafts: Int?
  /// How drafts were chosen; nil for by the temperature.
  package var draftChoice: DraftChoice?
  /// Whether the end of the text was looked up in earlier text; nil for plain decoding.
  package var suffix: Bool?
  /// Whether what verification threw away was tried again.
  package var recycling: Bool?
  /// How drafts became tokens; nil for by matching the target's own.
  package var verification: Verification?
  /// The format that the target's matrices were held in.
  package var format: String
  package var sampling: SamplingParameters
  package var maximumTokens: Int
  /// Whether end tokens were passed over.
  package var ignoresEnd: Bool
  /// The tokens that end the answer in a chat; nil where no prompt was one.
  package var endTokens: [Token]?
  /// The name of the plain configuration that this one is measured against.
  package var baseline: String?
  /// Pass times measured before the run.
  package var cost: CostModel?

  package init(
    name: String, target: String, drafter: String? = nil, decoder: String, draftLength: Int? = nil,
    maximumDrafts: Int? = nil, draftChoice: DraftChoice? = nil, suffix: Bool? = nil,
    recycling: Bool? = nil, format: String,
    sampling: SamplingParameters = .greedy, maximumTokens: Int, ignoresEnd: Bool = false,
    endTokens: [Token]? = nil, baseline: String? = nil, cost: CostModel? = nil
  ) {
    self.name = name
    self.target = target
    self.drafter = drafter
    self.decoder = decoder
    self.draftLength = draftLength
    self.maximumDrafts = maximumDrafts
    self.draftChoice = draftChoice
    self.suffix = suffix
    self.recycling = recycling
    self.format = format
    self.sampling = sampling
    self.maximumTokens = maximumTokens
    self.ignoresEnd = ignoresEnd
    self.endTokens = endTokens
    self.baseline = baseline
    self.cost = cost
  }
}
