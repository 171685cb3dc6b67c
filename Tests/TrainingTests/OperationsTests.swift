import Testing
import Training

/// The operations of a training step against the tensors themselves.
@Suite struct OperationsTests {
  @Test func everyMatrixIsCountedOnce() {
    var architecture = CausalArchitecture()
    architecture.layerCount = 3
    architecture.headCount = 5
    architecture.keyValueHeadCount = 1
    architecture.headDimension = 24
    architecture.hiddenSize = 40
    architecture.intermediateSize = 56
    architecture.vocabularySize = 77
    let model = CausalTrainingModel(architecture, seed: 1)
    let matrices = model.layout.entries.filter(\.decays).reduce(0) { $0 + $1.count }
    #expect(architecture.matrixWeightCount == matrices)
    #expect(architecture.weightOperations(tokens: 10) == Double(60 * matrices))
    // Queries see 1, 2, 3 and 4 keys.
    #expect(
      architecture.attentionOperations(sequences: 2, length: 4) == Double(12 * 2 * 10 * 3 * 5 * 24))
  }

  @Test func productsNameTheirKernels() {
    #expect(!MatrixProduct.coreName.isEmpty)
    for precision in ProductPrecision.allCases {
      #expect(!MatrixProduct(precision).kernels.isEmpty)
    }
  }
}
