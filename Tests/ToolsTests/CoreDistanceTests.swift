import Analysis
import Testing

/// What a report says of where the cores were.
struct CoreDistanceTests {
  @Test func oneThreadHasNoDistance() { #expect(CoreDistance(threads: 1) == nil) }

  @Test func placesAreToldApart() {
    let still = CoreDistance(nanoseconds: [52.4, 60])
    #expect(!still.moved && still.text == "cores 52 ns apart")
    let moved = CoreDistance(nanoseconds: [52.4, 190])
    #expect(moved.moved && moved.text == "cores 52 ns apart, then 190: figures mix both")
    #expect(CoreDistance(nanoseconds: [190, 52]).moved)
    #expect(!CoreDistance(nanoseconds: [61, 28]).moved)
  }
}
