import Drafter
import Files
import Foundation
import TestSupport
import Testing

/// Drafters' configurations with values of all sizes and types are read or refused; none traps.
@Suite struct HostileConfigurationTests {
  @Test(arguments: [
    DrafterConfigurationTests.sample, DrafterConfigurationTests.tokens,
    DrafterConfigurationTests.second,
  ])
  func noValueTraps(sample: DrafterConfiguration) throws {
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: 6)
    let text = String(decoding: sample.encoded(), as: UTF8.self)
    var read = 0
    for _ in 0..<fuzzRounds(1500) {
      try folder.write(makeHostile(text, &random).utf8, to: "config.json")
      do {
        let configuration = try DrafterConfiguration(directory: folder.url)
        _ = (configuration.layout, configuration.layout(ofLayer: 0))
        read += 1
      } catch let error as SpeculateError {
        #expect(!error.description.contains("\n"))
      }
    }
    #expect(read > 10)
  }
}
