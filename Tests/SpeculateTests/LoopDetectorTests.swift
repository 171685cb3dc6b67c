import Files
import Speculate
import Testing

@Suite struct LoopDetectorTests {
  let detector = LoopDetector()

  static func counting(_ count: Int) -> [Token] { (0..<count).map { Token($0 % 1000) } }

  @Test(arguments: 1...20) func everyPeriodIsFound(_ period: Int) {
    let loop = (0..<40).map { Token($0 % period) }
    #expect(detector.endsInLoop(loop))
    #expect(detector.endsInLoop(Self.counting(100).map { $0 + 50 } + loop))
    #expect(!detector.endsInLoop(loop.dropLast()))
    #expect(!detector.endsInLoop(loop + [99]))
    var broken = loop
    broken[20] = 77
    #expect(!detector.endsInLoop(broken))
  }

  @Test func longerPeriodsAndPlainTextAreNoLoops() {
    #expect(!detector.endsInLoop((0..<200).map { Token($0 % 21) }))
    #expect(!detector.endsInLoop(Self.counting(200)))
    #expect(!detector.endsInLoop([]))
  }
}
