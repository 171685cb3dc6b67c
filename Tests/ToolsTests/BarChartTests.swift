import Testing
import Tools

@Suite struct BarChartTests {
  @Test func barsAreInProportion() {
    #expect(
      BarChart.lines([2, 0, 8, 1], width: 8, indent: "  ") == [
        "  0 ██ 2 (18.2 %)",
        "  1 0 (0.0 %)",
        "  2 ████████ 8 (72.7 %)",
        "  3 █ 1 (9.1 %)",
      ])
  }

  @Test func smallCountsStayVisible() {
    #expect(BarChart.lines([1, 1000], width: 10)[0] == "0 ▏ 1 (0.1 %)")
  }

  @Test func labelsAreAligned() {
    let lines = BarChart.lines(Array(repeating: 1, count: 11), width: 1)
    #expect(lines.first == " 0 █ 1 (9.1 %)")
    #expect(lines.last == "10 █ 1 (9.1 %)")
  }

  @Test func columnsAreInProportion() {
    #expect(BarChart.sparkline([8, 4, 0, 1]) == "█▄ ▁")
  }

  @Test func noCountsGiveNothing() {
    #expect(BarChart.lines([]).isEmpty)
    #expect(BarChart.lines([0, 0]).isEmpty)
    #expect(BarChart.sparkline([]) == "")
  }
}
