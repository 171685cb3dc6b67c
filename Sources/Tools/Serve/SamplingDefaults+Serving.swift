import Foundation
import Speculate
import Verifier

extension SamplingDefaults {
  /// What a request that says nothing of sampling gets: what the model's folder proposes, as with vLLM, and for
  /// the rest what OpenAI says, temperature 1 and no filters.
  ///
  /// - Throws: `SpeculateError` when the folder proposes what can't be.
  static func sampling(directory: URL) throws -> SamplingParameters {
    let proposed = try proposed(directory: directory)
    return try SamplingParameters(
      temperature: Float(proposed["temperature"] ?? 1),
      topK: Int(exactly: (proposed["top_k"] ?? 0).rounded()) ?? 0,
      topP: Float(proposed["top_p"] ?? 1), minP: Float(proposed["min_p"] ?? 0),
      repetitionPenalty: Float(proposed["repetition_penalty"] ?? 1)
    ).validated()
  }
}
