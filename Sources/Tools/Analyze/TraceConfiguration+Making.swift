import Analysis
import Foundation
import Speculate
import Tensors
import Verifier

extension TraceConfiguration {
  /// Describes generations by a generator.
  ///
  /// - Parameters:
  ///   - target: the folder of its target.
  ///   - way: how it decodes.
  init(
    name: String, target: URL, generator: TextGenerator, way: DecodingWay,
    parameters: GenerationParameters, baseline: String? = nil
  ) {
    self.init(
      name: name, target: target.path, decoder: "plain",
      format: generator.model.formats.layers.rawValue,
      sampling: parameters.sampling, maximumTokens: parameters.maximumTokens,
      ignoresEnd: parameters.ignoresEnd, endTokens: parameters.endTokens, baseline: baseline)
    switch way {
    case .plain: break
    case .jacobi(let options):
      decoder = "jacobi"
      suffix = options.suffix
    case .draft(let drafting):
      decoder = drafting.drafter == nil ? "suffix" : "drafter"
      drafter = drafting.drafter?.path
      draftLength = drafting.length
      maximumDrafts = generator.drafter?.maximumDrafts
      draftChoice = drafting.choice
      suffix = drafting.looksUp
      recycling = drafting.recycling
    }
  }
}
