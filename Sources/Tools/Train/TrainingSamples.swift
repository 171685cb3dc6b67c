import Files
import Foundation
import Training

/// Held-out prompts on a training's page, with what the drafter of the last evaluation drafted.
struct TrainingSamples {
  private let samples: [DraftSample]

  /// Reads a run's samples; there are none before its first evaluation.
  ///
  /// - Throws: When they can't be read.
  init(folder: URL) throws {
    let file = DraftSample.file(in: folder)
    guard FileManager.default.fileExists(atPath: file.path) else {
      samples = []
      return
    }
    do {
      samples = try JSONDecoder().decode([DraftSample].self, from: Data(contentsOf: file))
    } catch {
      throw SpeculateError("\(file.path) is damaged: delete it; the next evaluation writes it anew")
    }
  }

  /// The section of the page; empty without samples.
  var markup: String {
    guard let step = samples.first?.step else { return "" }
    return """
      <h2>Held-out prompts</h2>
      <p class="soft">The end of a prompt, and the target's answer as the drafter of step \
      \(Figures.count(step)) drafts it, with full blocks and nothing else: \
      \(DraftedText.markup(accepted: "drafts that were kept", rejected: nil, chosen: "")), \
      <span class="lost">the first that was not</span>, \
      \(DraftedText.markup(accepted: "", rejected: nil, chosen: "the target's own token")). \
      A target pass ends with each token of the target's own.</p>
      <div class="charts">
      \(samples.map(Self.sample).joined())</div>
      """
  }

  private static func sample(_ sample: DraftSample) -> String {
    let rounds = sample.rounds.map {
      DraftedText.markup(
        accepted: $0.accepted, rejected: $0.rejected, chosen: Markup.escaped($0.chosen))
    }
    let length = Double(sample.tokens) / Double(max(sample.rounds.count, 1))
    return """
      <section class="example">
      <p class="soft">\(Figures.count(sample.tokens)) tokens in \(Figures.count(sample.rounds.count)) \
      passes, τ \(Figures.fixed(length, 2))\
      \(sample.endsInLoop ? "; the answer goes on as a loop" : "")</p>
      <pre>\(Markup.escaped(sample.prompt))\(rounds.joined())</pre>
      </section>

      """
  }
}
