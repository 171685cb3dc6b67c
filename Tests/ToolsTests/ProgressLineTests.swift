import Testing
import Tools

@Suite struct ProgressLineTests {
  /// A progress line whose clock the test moves and whose text the test reads.
  private final class Scene {
    var now = 100.0
    var text = ""

    func line(terminal: Bool, total: Int? = 200, width: Int = 80) -> ProgressLine {
      ProgressLine(
        "step", unit: "steps", total: total, terminal: terminal, width: { width },
        clock: { self.now }, write: { self.text += $0 })
    }
  }

  @Test func aTerminalLineIsRewritten() {
    let scene = Scene()
    let line = scene.line(terminal: true)
    scene.now += 10
    line.update(50, detail: "loss 2.31")
    #expect(scene.text == "\r\u{1B}[Kstep 50/200 steps | 5.00 steps/s | 0:30 left | loss 2.31")
    scene.now += 0.05
    line.update(51)
    #expect(!scene.text.contains("51"), "shown again too soon")
    scene.now += 0.2
    line.update(52)
    #expect(scene.text.hasSuffix("\r\u{1B}[Kstep 52/200 steps | 5.07 steps/s | 0:29 left"))
  }

  @Test func plainLinesAppearTwiceAMinute() {
    let scene = Scene()
    let line = scene.line(terminal: false)
    for second in 1...60 {
      scene.now += 1
      line.update(second)
    }
    #expect(
      scene.text == """
        step 1/200 steps | 1.00 steps/s | 3:19 left
        step 31/200 steps | 1.00 steps/s | 2:49 left

        """)
  }

  @Test func theEndIsShownWithTheTimeTaken() {
    let scene = Scene()
    let line = scene.line(terminal: false)
    scene.now += 40
    line.finish(200, detail: "loss 1.9")
    #expect(scene.text == "step 200/200 steps | 5.00 steps/s | 0:40 | loss 1.9\n")
  }

  @Test func withoutATotalTheTimeTakenIsShown() {
    let scene = Scene()
    let line = scene.line(terminal: false, total: nil)
    scene.now += 2
    line.update(3)
    #expect(scene.text == "step 3 steps | 1.50 steps/s | 0:02\n")
  }

  @Test func aLongLineIsCutAtTheTerminalsWidth() {
    let scene = Scene()
    let line = scene.line(terminal: true, width: 12)
    scene.now += 1
    line.update(1)
    #expect(scene.text == "\r\u{1B}[Kstep 1/200 s")
  }

  @Test func clearingRemovesTheLineOnce() {
    let scene = Scene()
    let line = scene.line(terminal: true)
    line.clear()
    #expect(scene.text == "")
    line.update(1)
    scene.text = ""
    line.clear()
    line.clear()
    #expect(scene.text == "\r\u{1B}[K")
  }

  /// The first of 32 answers that are made at a time doesn't stand for the time of all.
  @Test func answersMadeTogetherAreCountedTogether() {
    // 4,000 answers of 10 seconds each, 32 at a time: 1,250 seconds, of which 10 are over.
    let first = ProgressLine.secondsLeft(elapsed: 10, done: 1, remaining: 3999, batch: 32)
    #expect(first > 1240 / 2.5 && first < 1240 * 2.5, "\(first)")
    let later = ProgressLine.secondsLeft(elapsed: 625, done: 2000, remaining: 2000, batch: 32)
    #expect(abs(later - 625) < 25, "\(later)")
    #expect(ProgressLine.secondsLeft(elapsed: 1, done: 1, remaining: 0, batch: 32) == 0)
  }
}
