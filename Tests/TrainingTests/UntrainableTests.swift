import Files
import Tensors
import Testing
import Training
import Verifier

/// Models whose layers have no backward pass here are refused by what they have.
@Suite struct UntrainableTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (inout ModelFamily) -> Void
  }

  static let cases = [
    Case(testDescription: "other norms than RMSNorm with one scale a column") {
      $0.norm = NormDesign(.layer)
    },
    Case(testDescription: "other norms than RMSNorm with one scale a column") {
      $0.norm = NormDesign(scale: .onePlusStored)
    },
    Case(testDescription: "other norms than RMSNorm with one scale a column") {
      $0.headNorms = .eachOwn
    },
    Case(testDescription: "another activation than SiLU") { $0.activations = [.gelu] },
    Case(testDescription: "a feed-forward part without a gate") { $0.feedForward = .plain },
    Case(testDescription: "attention and feed-forward part beside one another") {
      $0.flow = .parallelSharingNorm
    },
    Case(testDescription: "clipped queries, keys and values") { $0.factors = [.clip: 4] },
    Case(testDescription: "learned positions") { $0.tensors.positions = "wpe.weight" },
    Case(testDescription: "a bias of the head") { $0.tensors.headBias = "lm_head.bias" },
  ]

  @Test(arguments: cases) func whatCannotBeTrainedIsNamed(_ test: Case) {
    var family = ModelFamily.qwen3
    test.change(&family)
    let configuration = ModelConfiguration(
      family: family, vocabularySize: 64, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
      headCount: 2, keyValueHeadCount: 1, headDimension: 16, tiesEmbeddings: true)
    let error = #expect(throws: SpeculateError.self) {
      _ = try CausalArchitecture(configuration, name: "the model")
    }
    #expect(
      error?.description.hasPrefix("the model has \(test.testDescription), which can't be trained")
        == true)
  }

  @Test func qwen3CanBeTrained() throws {
    let configuration = ModelConfiguration(
      family: .qwen3, vocabularySize: 64, hiddenSize: 32, intermediateSize: 48, layerCount: 2,
      headCount: 2, keyValueHeadCount: 1, headDimension: 16, tiesEmbeddings: true)
    _ = try CausalArchitecture(configuration, name: "the model")
  }
}
