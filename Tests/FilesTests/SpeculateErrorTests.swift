import Files
import Foundation
import Testing

@Suite struct SpeculateErrorTests {
  @Test func everyDescriptionIsTheMessage() {
    let error: any Error = SpeculateError("x: can't be read; check the path")
    #expect(error.localizedDescription == "x: can't be read; check the path")
    #expect("\(error)" == "x: can't be read; check the path")
  }
}
