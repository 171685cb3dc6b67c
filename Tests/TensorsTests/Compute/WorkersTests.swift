import Tensors
import Testing

struct WorkersTests {
  @Test(arguments: [1, 2, 3, 5]) func everyWorkerRunsOnceARegion(count: Int) {
    let workers = Workers(count: count)
    let calls = FloatBuffer(count: count * 16)  // a cache line a worker
    for _ in 0..<2000 {
      workers.run { worker in calls.base[worker * 16] += 1 }
    }
    #expect((0..<count).allSatisfy { calls.base[$0 * 16] == 2000 })
  }

  @Test func sharesCoverARangeInOrder() {
    for length in [0, 1, 2, 7, 100] {
      for count in 1...5 {
        let shares = (0..<count).map { (10..<10 + length).share(of: $0, among: count) }
        #expect(shares.flatMap { Array($0) } == Array(10..<10 + length))
      }
    }
  }

  @Test(arguments: [2, 3]) func aLineTakesTimeFromCoreToCore(count: Int) throws {
    let seconds = try #require(Workers(count: count).distance())
    #expect(seconds > 0 && seconds < 1)
    #expect(Workers(count: 1).distance() == nil)
  }

  @Test func aMachineHasCores() { #expect(Workers.defaultCount >= 1) }
}
