import Testing
import Training

@Suite struct CosineScheduleTests {
  @Test func `the rate rises linearly and falls along half a cosine`() {
    let schedule = CosineSchedule(peak: 2, floorShare: 0.1, warmupSteps: 4, steps: 24)
    #expect((0..<4).map { schedule.rate(step: $0) } == [0.5, 1, 1.5, 2])
    #expect(abs(schedule.rate(step: 4) - 2) < 1e-6)
    // A quarter, half and three quarters of the way down from 2 to 0.2.
    #expect(abs(schedule.rate(step: 9) - 1.736_396) < 1e-5)
    #expect(abs(schedule.rate(step: 14) - 1.1) < 1e-6)
    #expect(abs(schedule.rate(step: 19) - 0.463_604) < 1e-5)
    #expect(abs(schedule.rate(step: 24) - 0.2) < 1e-6)
    #expect(schedule.rate(step: 1000) == schedule.rate(step: 24))
    for step in 4..<24 { #expect(schedule.rate(step: step + 1) < schedule.rate(step: step)) }
  }

  @Test func `stages follow one another`() {
    let first = CosineSchedule(peak: 2, floorShare: 0.1, warmupSteps: 4, steps: 24)
    let second = CosineSchedule(peak: 1, floorShare: 0, warmupSteps: 2, steps: 8)
    let stages = StagedSchedule([first, second])
    #expect(stages.steps == 32)
    #expect((0..<24).allSatisfy { stages.rate(step: $0) == first.rate(step: $0) })
    #expect((0..<9).allSatisfy { stages.rate(step: 24 + $0) == second.rate(step: $0) })
  }

  @Test func `a run may have no warm-up or nothing else`() {
    let none = CosineSchedule(peak: 1, floorShare: 0, warmupSteps: 0, steps: 10)
    #expect(none.rate(step: 0) == 1)
    #expect(abs(none.rate(step: 5) - 0.5) < 1e-6)
    let all = CosineSchedule(peak: 1, floorShare: 0, warmupSteps: 10, steps: 5)
    #expect(all.rate(step: 4) == 0.5)
    #expect(all.rate(step: 10) == 1)
  }
}
