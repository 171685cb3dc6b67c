import Files
import Speculate

/// What `--json` says of one generation.
struct GenerationRecord: Encodable {
  var place: String
  var prompt: String
  var text: String
  var ids: [Token]
  var finish: FinishReason
  var tau: Double
  var tokensPerSecond: Double
  var endsInLoop: Bool
  var statistics: GenerationStatistics

  init(_ source: EncodedPrompt, _ result: GenerationResult) {
    place = source.place
    prompt = source.text
    text = result.text
    ids = result.tokens
    finish = result.finishReason
    tau = result.statistics.tau
    tokensPerSecond = result.statistics.tokensPerSecond
    endsInLoop = LoopDetector().endsInLoop(result.tokens)
    statistics = result.statistics
  }
}
