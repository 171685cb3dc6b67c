import Files
import Foundation
import TestSupport
import Testing

/// A folder of Tests/Fixtures/models: a checkpoint and what transformers computes from it.
struct ReferenceModel: CustomTestStringConvertible {
  /// Every folder; the README beside them says what each proves.
  static let names = [
    "cohere", "cohere-bias", "cohere2", "ernie", "exaone4", "exaone4-whole", "gemma", "gemma2",
    "gemma2-head", "gemma3", "gemma3-images", "glm", "glm4", "gpt-oss", "gpt-oss-mxfp4", "gpt2",
    "gpt2-relu", "gptneox", "gptneox-sequential", "granite", "granite-bias", "granite-moe",
    "granite4", "helium", "llama", "llama-bias", "llama-dynamic", "llama-f16", "llama-linear",
    "llama-llama3", "llama-odd", "llama-sharded", "llama-yarn", "llama-yarn-own", "mistral",
    "mixtral", "nemotron", "olmo", "olmo-clip", "olmo2", "olmo3", "olmoe", "olmoe-normalized",
    "phi", "phi-norms", "phi3", "phi3-longrope", "phi3-tied", "qwen2", "qwen2-moe", "qwen2-window",
    "qwen3", "qwen3-bf16", "qwen3-bias", "qwen3-moe", "seed-oss", "seed-oss-output", "smollm3",
    "smollm3-listed", "stablelm", "stablelm-parallel", "starcoder2", "starcoder2-nobias",
  ]
  static let root = TestFiles.package.appending(path: "Tests/Fixtures/models")

  /// The content of expected.json, which Tests/Fixtures/README.md describes.
  struct Expected: Decodable {
    /// The prompt.
    let inputIDs: [Token]
    /// The ids that follow it, end tokens ignored.
    let greedyIDs: [Token]
    let logitRows: [Int]
    /// [logitRows.count][vocabulary]
    let logits: [[Float]]
    let tapRows: [Int]
    /// [layers][tapRows.count * hidden]
    let taps: [[Float]]

    enum CodingKeys: String, CodingKey {
      case inputIDs = "input_ids"
      case greedyIDs = "greedy_ids"
      case logitRows = "logit_rows"
      case logits
      case tapRows = "tap_rows"
      case taps
    }
  }

  let name: String
  var testDescription: String { name }
  var directory: URL { Self.root.appending(path: name) }

  func expected() throws -> Expected {
    let data = try Data(contentsOf: directory.appending(path: "expected.json"))
    return try JSONDecoder().decode(Expected.self, from: data)
  }

  /// The largest distance of two rows, as a share of the largest magnitude in `reference`.
  static func distance(_ values: UnsafeBufferPointer<Float>, from reference: [Float]) -> Float {
    guard values.count == reference.count else { return .infinity }
    let largest = reference.map(abs).max() ?? 0
    return zip(values, reference).reduce(0) { farthest, pair in
      let distance = abs(pair.0 - pair.1) / largest
      return distance.isNaN ? .infinity : max(farthest, distance)
    }
  }
}
