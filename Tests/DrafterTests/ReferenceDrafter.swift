import Files
import Foundation
import Testing

/// A folder of Tests/Fixtures/drafter: a checkpoint and what a NumPy forward computes from it.
struct ReferenceDrafter: CustomTestStringConvertible {
  /// Every folder; Tests/Fixtures/README.md says what each proves.
  static let names = [
    "confidence", "confidence-markov", "deepspec", "dflash-window", "dflash2", "dflash2-window",
    "gated", "jetspec", "markov", "markov-draft-vocabulary", "one-layer", "rnn", "speculators",
    "speculators-dspark", "two-layer",
  ]
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/drafter")

  /// One draft pass of expected.json.
  struct Pass: Decodable {
    /// How many committed positions come before the anchor.
    let context: Int
    let count: Int
    let anchor: Token
    /// [count][choices]; nil for what can't be drafted.
    let logits: [[Float?]]
    /// The largest logit of each row, as an index of the draft vocabulary.
    let choices: [Int]
    /// The same as tokens of the target.
    let drafts: [Token]
    /// How likely each draft is accepted, of a drafter with a confidence head.
    let confidences: [Float]?
  }

  private struct Expected: Decodable { let passes: [Pass] }

  let name: String
  var testDescription: String { name }
  var directory: URL { Self.root.appending(path: name) }

  /// Whether the anchor's row drafts too.
  var samplesAnchor: Bool { ["deepspec", "gated", "rnn", "speculators-dspark"].contains(name) }
  /// Whether it holds copies of the target's embedding and head.
  var holdsCopies: Bool { samplesAnchor || name == "speculators" }

  func passes() throws -> [Pass] {
    let data = try Data(contentsOf: directory.appending(path: "expected.json"))
    return try JSONDecoder().decode(Expected.self, from: data).passes
  }

  /// What the target supplies: `features` [14][taps * hidden], `embedding`, and `head` where it is
  /// not the embedding.
  func inputs() throws -> Checkpoint {
    try Checkpoint(file: directory.appending(path: "inputs.safetensors"))
  }
}
