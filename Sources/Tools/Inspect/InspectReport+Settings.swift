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
    var settings = [
      Setting(name: "model", value: "\(model.family.name) (\(model.family.architecture))"),
      Setting(name: "vocabulary", value: Figures.count(model.vocabularySize)),
      Setting(name: "context", value: Figures.count(model.maximumContext)),
      Setting(name: "layers", value: Figures.count(model.layerCount)),
      Setting(name: "hidden", value: Figures.count(model.hiddenSize)),
      Setting(name: "intermediate", value: Figures.count(model.intermediateSize)),
      Setting(
        name: "heads",
        value: "\(model.headCount) of \(model.headDimension), "
          + "\(model.keyValueHeadCount) for keys and values"
          + (model.headNorms ? ", q and k normed" : "")),
      Setting(name: "rope", value: rope(model.ropeTheta, model.ropeScaling)),
      Setting(name: "norm epsilon", value: "\(model.normEpsilon)"),
      Setting(name: "biases", value: biases.isEmpty ? "none" : biases.joined(separator: ", ")),
      Setting(name: "head", value: model.tiesEmbeddings ? "tied to the embedding" : "its own"),
    ]
    if let quantization = model.quantization {
      settings.append(Setting(name: "quantised", value: quantization.description))
    }
    if let window = model.slidingWindow {
      settings.append(
        Setting(
          name: "sliding window",
          value: "\(Figures.count(window)) in \(windowed) of \(model.layerCount) layers"))
    }
    let ends = model.endTokens.map(String.init).joined(separator: ", ")
    settings.append(
      Setting(
        name: "special tokens",
        value: "begin \(model.beginToken.map(String.init) ?? "none"), "
          + "end \(ends.isEmpty ? "none" : ends)"))
    return settings
  }

  private static func settings(_ drafter: DrafterConfiguration) -> [Setting] {
    let block =
      drafter.shortestBlock < drafter.blockSize
      ? "\(drafter.shortestBlock) to \(drafter.blockSize)" : "\(drafter.blockSize)"
    var settings = [
      Setting(
        name: "model", value: "block-diffusion drafter (\(drafter.kind.architecture))"),
      Setting(name: "block", value: "\(block), mask token \(drafter.maskToken)"),
      Setting(
        name: "target",
        value: drafter.targetSummary(
          vocabulary: "vocabulary " + Figures.count(drafter.vocabularySize))),
      Setting(
        name: "draft vocabulary",
        value: drafter.draftVocabularySize.map(Figures.count) ?? "the whole vocabulary"),
    ]
    settings += drafter.heads.descriptions.map { Setting(name: $0.name, value: $0.value) }
    return settings + [
      Setting(name: "context", value: Figures.count(drafter.maximumContext)),
      Setting(name: "layers", value: Figures.count(drafter.layerCount)),
      Setting(name: "hidden", value: Figures.count(drafter.shape.hidden)),
      Setting(name: "intermediate", value: Figures.count(drafter.shape.intermediate)),
      Setting(
        name: "heads",
        value: "\(drafter.shape.heads) of \(drafter.shape.headDimension), "
          + "\(drafter.shape.keyValueHeads) for keys and values, q and k normed"),
      Setting(name: "rope", value: rope(drafter.ropeTheta, drafter.ropeScaling)),
      Setting(name: "norm epsilon", value: "\(drafter.shape.normEpsilon)"),
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
