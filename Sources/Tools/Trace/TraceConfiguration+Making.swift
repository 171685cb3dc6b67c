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
    if case .jacobi = mode { decoder = "jacobi" }
    guard case .speculative(let drafts, let choice, _) = mode else { return }
    decoder = generator.drafter == nil ? "suffix" : "drafter"
    self.drafter = drafter?.path
    draftLength = drafts
    maximumDrafts = generator.drafter.map { $0.configuration.blockSize - 1 }
    draftChoice = choice
  }
}
