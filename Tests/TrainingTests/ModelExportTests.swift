import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Text
import Training
import Verifier

@Suite struct ModelExportTests {
  @Test(arguments: [ElementType.f32, .bf16])
  func `an exported folder reads back as the same model`(type: ElementType) throws {
    let folder = try TemporaryFolder()
    let tokenizer = try folder.write(TinyTokenizer.data, to: "tiny.model")
    var architecture = TinyTraining.architecture(layers: 3)
    architecture.ropeTheta = 5000
    architecture.normEpsilon = 1e-5
    let model = TinyTraining.livelyModel(architecture, seed: 1)
    let configuration = architecture.configuration(type: type, beginToken: nil, endTokens: [2, 4])
    let output = folder.file("model")
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: false)
    try ModelExport.write(model, configuration: configuration, tokenizer: tokenizer, to: output)

    #expect(try ModelConfiguration(directory: output) == configuration)
    let loaded = try TokenizerLoader.load(directory: output)
    #expect(try loaded.encode("ab", addSpecial: true).count == 1)  // no begin token, as in training
    let checkpoint = try Checkpoint(directory: output)
    #expect(checkpoint.names == model.layout.entries.map(\.name).sorted())
    for entry in model.layout.entries {
      #expect(try checkpoint.type(of: entry.name, shape: entry.shape) == type)
      let values = try checkpoint.floats(entry.name, shape: entry.shape)
      let exact = model.parameters.base + entry.offset
      let tolerance: Float = type == .f32 ? 0 : 0x1p-8
      let off = (0..<entry.count).filter {
        abs(values.base[$0] - exact[$0]) > tolerance * abs(exact[$0])
      }
      #expect(off.isEmpty, "\(entry.name): \(off.count) values differ")
    }
  }
}
