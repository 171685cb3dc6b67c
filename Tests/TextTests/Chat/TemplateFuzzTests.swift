import Testing

/// Whatever a template says, rendering it ends with a text or an error.
@Suite struct TemplateFuzzTests {
  private let line = #"""
    {"messages":[{"role":"user","content":"Hi é"},{"role":"assistant","content":null}],"tools":[1]}
    """#

  @Test func damagedSamplesNeverTrap() {
    var fuzz = TemplateFuzz(seed: 3)
    for round in 0..<8000 {
      let sample = TemplateSamples.all[round % TemplateSamples.all.count]
      let damaged = fuzz.damaged(Array(sample.template.unicodeScalars), cuts: round % 4 == 0)
      TemplateFuzz.tryOut(damaged, "t", line)
    }
  }

  @Test func assembledTemplatesNeverTrap() {
    var fuzz = TemplateFuzz(seed: 5)
    let parts = TemplateSamples.all.flatMap {
      $0.template.split(separator: " ", omittingEmptySubsequences: false).map { $0 + " " }
    }.map(String.init)
    for _ in 0..<8000 { TemplateFuzz.tryOut(fuzz.assembled(parts), "t", line) }
  }
}
