import Files
import Foundation
import Testing

@Suite struct SpeculateErrorTests {
  /// Whoever shows errors by Foundation's means shows the message, not a name and a number.
  @Test func theLocalizedDescriptionIsTheMessage() {
    let error: any Error = SpeculateError("threads 0 is out of range: use 1 or more")
    #expect(error.localizedDescription == "threads 0 is out of range: use 1 or more")
  }
}
