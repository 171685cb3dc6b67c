import Analysis

/// Rejected drafts in their context.
extension HTMLReport {
  static func examples(_ report: AnalysisReport) -> String {
    guard !report.examples.isEmpty else { return "" }
    return """
      <h2>Rejected drafts</h2>
      <p class="soft">Where each configuration's drafter was surest and still wrong, one place from a \
      prompt: the text, <strong>drafts that were kept</strong>, the draft that was not, and the target's own \
      token. Below, what both models thought most probable there.</p>
      <div class="charts">
      \(report.examples.map(example).joined())</div>
      """
  }

  private static func example(_ example: RejectionExample) -> String {
    """
    <section class="example">
    <p class="soft">\(Markup.escaped(example.configuration)) · \(Markup.escaped(example.category)) · \
    \(Markup.escaped(example.prompt))</p>
    <pre>\(Markup.escaped(example.context))\(DraftedText.markup(
      accepted: example.accepted, rejected: example.rejected,
      chosen: DraftedText.visible(example.chosen)))</pre>
    <div class="candidates">
    <div>\(Markup.escaped(example.source))\(list(example.draftCandidates))</div>
    <div>target\(list(example.targetCandidates))</div>
    </div>
    </section>

    """
  }

  private static func list(_ candidates: [RejectionExample.Candidate]) -> String {
    guard !candidates.isEmpty else { return "<p class=\"soft\">has no probabilities</p>" }
    let items = candidates.map { candidate in
      "<li\(candidate.isChosen ? " class=\"chosen\"" : "")><code>\(DraftedText.visible(candidate.text))</code>"
        + "<span>\(Figures.fixed(100 * candidate.probability, 1)) %</span></li>"
    }
    return "<ol>\(items.joined())</ol>"
  }
}
