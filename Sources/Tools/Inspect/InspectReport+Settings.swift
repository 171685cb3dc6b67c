import Drafter
import Files
import Foundation
import Tensors
import Verifier

extension InspectReport {
  /// The settings of a target's or a drafter's folder.
  ///
  /// - Throws: `SpeculateError` when it is neither; the message is that of the kind the file names.
  static func settings(_ directory: URL) throws -> [Setting] {
    let file = directory.appending(path: "config.json")
    if FileManager.default.fileExists(atPath: file.path),
      let architectures = try ConfigurationFile(url: file).texts("architectures"),
      architectures.count == 1, DrafterKind(architecture: architectures[0]) != nil
    {
      return settings(try DrafterConfiguration(directory: directory))
    }
    return settings(try ModelConfiguration(directory: directory))
  }

  private static func settings(_ model: ModelConfiguration) -> [Setting] {
    let windowed = (0..<model.layerCount).filter(model.usesWindow).count
    let biases = [
      model.attentionBias ? "q, k, v" : nil, model.outputBias ? "o" : nil,
      model.mlpBias ? "gate, up, down" : nil,
    ].compactMap { $0 }
    var settings: [Setting] = [
      ("model", "\(model.family.name) (\(model.family.architecture))"),
      ("vocabulary", Figures.count(model.vocabularySize)),
      ("context", Figures.count(model.maximumContext)),
      ("layers", Figures.count(model.layerCount)),
      ("hidden", Figures.count(model.hiddenSize)),
      ("intermediate", Figures.count(model.intermediateSize)),
      (
        "heads",
        "\(model.headCount) of \(model.headDimension), "
          + "\(model.keyValueHeadCount) for keys and values"
          + (model.headNorms ? ", q and k normed" : "")
      ),
      ("rope", rope(model.ropeTheta, model.ropeScaling)),
      ("norm epsilon", "\(model.normEpsilon)"),
      ("biases", biases.isEmpty ? "none" : biases.joined(separator: ", ")),
      ("head", model.tiesEmbeddings ? "tied to the embedding" : "its own"),
    ]
    if let quantization = model.quantization {
      settings.append(("quantised", quantization.description))
    }
    if let window = model.slidingWindow {
      settings.append(
        ("sliding window", "\(Figures.count(window)) in \(windowed) of \(model.layerCount) layers"))
    }
    let ends = model.endTokens.map(String.init).joined(separator: ", ")
    settings.append(
      (
        "special tokens",
        "begin \(model.beginToken.map(String.init) ?? "none"), "
          + "end \(ends.isEmpty ? "none" : ends)"
      ))
    return settings
  }

  private static func settings(_ drafter: DrafterConfiguration) -> [Setting] {
    let block =
      drafter.shortestBlock < drafter.blockSize
      ? "\(drafter.shortestBlock) to \(drafter.blockSize)" : "\(drafter.blockSize)"
    var settings: [Setting] = [
      ("model", "block-diffusion drafter (\(drafter.kind.architecture))"),
      ("block", "\(block), mask token \(drafter.maskToken)"),
      (
        "target",
        drafter.targetSummary(vocabulary: "vocabulary " + Figures.count(drafter.vocabularySize))
      ),
      (
        "draft vocabulary", drafter.draftVocabularySize.map(Figures.count) ?? "the whole vocabulary"
      ),
    ]
    settings += drafter.heads.descriptions.map { ($0.name, $0.value) }
    return settings + [
      ("context", Figures.count(drafter.maximumContext)),
      ("layers", Figures.count(drafter.layerCount)),
      ("hidden", Figures.count(drafter.shape.hidden)),
      ("intermediate", Figures.count(drafter.shape.intermediate)),
      (
        "heads",
        "\(drafter.shape.heads) of \(drafter.shape.headDimension), "
          + "\(drafter.shape.keyValueHeads) for keys and values, q and k normed"
      ),
      ("rope", rope(drafter.ropeTheta, drafter.ropeScaling)),
      ("norm epsilon", "\(drafter.shape.normEpsilon)"),
    ]
  }

  private static func rope(_ theta: Double, _ scaling: RopeScaling) -> String {
    switch scaling {
    case .none: "theta \(theta)"
    case .linear(let factor): "theta \(theta), linear, factor \(factor)"
    case .llama3(let factor, let low, let high, let original):
      "theta \(theta), llama3, factor \(factor), low \(low), high \(high), original context "
        + Figures.count(original)
    }
  }
}
