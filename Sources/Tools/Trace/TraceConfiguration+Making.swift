import Drafter
import Verifier
import Foundation
import Speculate
import Tensors

extension TraceConfiguration {
  /// Describes generations by a generator.
  ///
  /// - Parameters:
  ///   - target: the folder of its target.
  ///   - drafter: the folder of its drafter.
  init(
    name: String, target: URL, drafter: URL?, generator: TextGenerator, mode: DecodingMode,
    parameters: GenerationParameters, baseline: String? = nil
  ) {
    self.init(
      name: name, target: target.path, decoder: "plain",
      format: generator.model.formats.layers.rawValue,
      sampling: parameters.sampling, maximumTokens: parameters.maximumTokens,
      ignoresEnd: parameters.ignoresEnd, baseline: baseline)
    guard case .speculative(let drafts, let choice) = mode else { return }
    decoder = "drafter"
    self.drafter = drafter?.path
    draftLength = drafts
    maximumDrafts = generator.drafter.map { $0.configuration.blockSize - 1 }
    draftChoice = choice
  }
}
