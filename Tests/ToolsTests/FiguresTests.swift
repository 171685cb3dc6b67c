import Analysis
import Testing
import Tools

@Suite struct FiguresTests {
  @Test func ratesKeepThreeFiguresOrSo() {
    #expect(Figures.rate(0.4249) == "0.42")
    #expect(Figures.rate(31.24) == "31.2")
    #expect(Figures.rate(1240.4) == "1240")
  }

  @Test func countsSetThousandsApart() {
    #expect(Figures.count(0) == "0")
    #expect(Figures.count(999) == "999")
    #expect(Figures.count(12345) == "12,345")
    #expect(Figures.count(-1_000_000) == "-1,000,000")
  }

  @Test func durationsGrowWithTheirLength() {
    #expect(Figures.duration(7.4) == "0:07")
    #expect(Figures.duration(725) == "12:05")
    #expect(Figures.duration(11045) == "3:04:05")
    #expect(Figures.duration(.infinity) == "a long time")
  }

  @Test func bytesTakeTheUnitThatFits() {
    #expect(Figures.bytes(1500) == "1.5 kB")
    #expect(Figures.bytes(62_400_000) == "62.4 MB")
    #expect(Figures.bytes(1_190_000_000) == "1.19 GB")
  }

  @Test func mediansOfOddEvenAndNoValues() {
    #expect(median([3, 1, 2]) == 2)
    #expect(median([4, 1, 2, 3]) == 2.5)
    #expect(median([]) == 0)
  }
}
