import Files
import Foundation
import Tensors
import Training

/// Tiny models, data and comparisons of training runs.
enum TinyTraining {
  static func architecture(layers: Int = 2) -> CausalArchitecture {
    var sizes = CausalArchitecture()
    sizes.vocabularySize = TinyTokenizer.vocabulary
    sizes.hiddenSize = 24
    sizes.intermediateSize = 40
    sizes.layerCount = layers
    sizes.headCount = 4
    sizes.keyValueHeadCount = 2
    sizes.headDimension = 8
    sizes.maximumContext = 160
    return sizes
  }

  /// A model whose outputs vary, unlike those of first values.
  static func livelyModel(_ architecture: CausalArchitecture, seed: UInt64) -> CausalTrainingModel {
    let model = CausalTrainingModel(architecture, seed: seed)
    var random = KeyedRandom(seed: seed, key: "lively")
    for i in 0..<model.parameters.count {
      model.parameters.base[i] = model.parameters.base[i] * 8 + Float(random.uniform() - 0.5) * 0.3
    }
    for entry in model.layout.entries where entry.initialization == .ones {
      for i in entry.range { model.parameters.base[i] = 0.7 + Float(random.uniform()) * 0.6 }
    }
    return model
  }

  /// Documents of letters joined by end tokens, as a file of 16-bit tokens holds them.
  static func tokens(_ count: Int, seed: UInt64) -> Data {
    var random = KeyedRandom(seed: seed, key: "tokens")
    var data = Data()
    for _ in 0..<count {
      let pick = Int(random.next() % UInt64(TinyTokenizer.vocabulary))
      // The mask and what text never holds become ends of documents.
      let token = UInt16(pick < 4 ? 2 : pick)
      withUnsafeBytes(of: token.littleEndian) { data.append(contentsOf: $0) }
    }
    return data
  }

  /// The bytes of every tensor of a checkpoint: parameters and both moments.
  static func tensors(_ checkpoint: URL) throws -> [String: Data] {
    let file = try Checkpoint(file: checkpoint)
    return try Dictionary(
      uniqueKeysWithValues: file.names.map { name in
        (name, try file.withBytes(of: name) { Data($0) })
      })
  }
}
