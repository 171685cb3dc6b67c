import Drafter
import Files
import Foundation
import Speculate
import Tensors
import Verifier

extension InspectReport {
  /// The settings of a target's or a drafter's folder.
  ///
  /// - Throws: `SpeculateError` when it is neither; the message is that of the kind the file names.
  static func settings(_ directory: URL) throws -> [Setting] {
    if try AnswerTable.isMeant(by: directory) {
      let vocabulary = try AnswerTable.vocabularySize(of: directory)
      return [
        Setting("model", "table of answers (\(AnswerTable.architecture))"),
        Setting("target", "the one that wrote them; vocabulary \(Figures.count(vocabulary))"),
      ]
    }
    let file = directory.appending(path: "config.json")
    if FileManager.default.fileExists(atPath: file.path),
      try DrafterConfiguration.isMeant(by: ConfigurationFile(url: file))
    {
      return settings(try DrafterConfiguration(directory: directory))
    }
    return settings(try ModelConfiguration(directory: directory))
  }

  /// The settings of a GGUF model or drafter.
  ///
  /// - Throws: `SpeculateError` when it isn't supported.
  static func settings(_ file: GGUFFile) throws -> [Setting] {
    if DrafterConfiguration.isMeant(by: file) { return settings(try DrafterConfiguration(file)) }
    return settings(try ModelConfiguration(file)) + [
      Setting("stored as", try CausalModel.storedFormats(file).description)
    ]
  }

  private static func settings(_ model: ModelConfiguration) -> [Setting] {
    let biases = [
      model.attentionBias ? "q, k, v" : nil, model.outputBias ? "o" : nil,
      model.mlpBias ? "gate, up, down" : nil,
    ].compactMap { $0 }
    var settings = [
      Setting("model", "\(model.family.name) (\(model.family.architecture))"),
      Setting("vocabulary", model.vocabularySize),
    ]
    settings += sizes(
      context: model.maximumContext, layers: model.layerCount, hidden: model.hiddenSize,
      intermediate: model.intermediateSize, heads: model.headCount, width: model.headDimension,
      keyValueHeads: model.keyValueHeadCount, areNormed: model.headNorms != .none)
    settings += [
      rope(model.ropeTheta, model.ropeScaling), epsilon(model.normEpsilon),
      Setting("biases", biases.isEmpty ? "none" : biases.joined(separator: ", ")),
      Setting("head", model.tiesEmbeddings ? "tied to the embedding" : "its own"),
    ]
    if let experts = model.experts { settings.append(self.experts(experts, model.layerCount)) }
    if !model.factors.isEmpty {
      let factors = model.factors.sorted { $0.key.rawValue < $1.key.rawValue }
      settings.append(
        Setting(
          "factors", factors.map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", "),
          [
            "factors": .object(
              model.factors.reduce(into: [:]) { $0[$1.key.rawValue] = .number($1.value) })
          ]
        ))
    }
    if let quantization = model.quantization {
      settings.append(Setting("quantised", quantization.description))
    }
    if let window = model.slidingWindow {
      let windowed = (0..<model.layerCount).filter(model.usesWindow).count
      settings.append(
        Setting(
          "sliding window",
          "\(Figures.count(window)) in \(windowed) of \(model.layerCount) layers",
          ["sliding window": .integer(window), "windowed layers": .integer(windowed)]))
    }
    let ends = model.endTokens.map(String.init).joined(separator: ", ")
    var tokens: [String: JSONValue] = [
      "end tokens": .array(model.endTokens.map { .integer(Int($0)) })
    ]
    tokens["begin token"] = model.beginToken.map { .integer(Int($0)) }
    settings.append(
      Setting(
        "special tokens",
        "begin \(model.beginToken.map(String.init) ?? "none"), "
          + "end \(ends.isEmpty ? "none" : ends)", tokens))
    return settings
  }

  private static func settings(_ drafter: DrafterConfiguration) -> [Setting] {
    let (shortest, longest) = (drafter.shortestBlock, drafter.blockSize)
    let block = shortest < longest ? "\(shortest) to \(longest)" : "\(longest)"
    var settings = [
      Setting("model", "block-diffusion drafter (\(drafter.architecture))"),
      Setting(
        "block", "\(block), mask token \(drafter.maskToken)",
        [
          "block": .integer(longest), "shortest block": .integer(shortest),
          "mask token": .integer(Int(drafter.maskToken)),
        ]),
      Setting(
        "target",
        drafter.targetSummary(vocabulary: "vocabulary " + Figures.count(drafter.vocabularySize))),
      drafter.draftVocabularySize.map { Setting("draft vocabulary", $0) }
        ?? Setting("draft vocabulary", "the whole vocabulary"),
    ]
    if let convolution = drafter.convolution {
      settings.append(
        Setting("convolutions", "\(convolution.taps) taps, groups of \(convolution.group)"))
    }
    let windows = drafter.reaches.compactMap(\.window)
    if let window = windows.first {
      settings.append(
        Setting(
          "windows", "\(window) positions in \(windows.count) of \(drafter.layerCount) layers"))
    }
    settings += drafter.heads.descriptions.map { Setting($0.name, $0.value) }
    let shape = drafter.shape
    settings += sizes(
      context: drafter.maximumContext, layers: drafter.layerCount, hidden: shape.hidden,
      intermediate: shape.intermediate, heads: shape.heads, width: shape.headDimension,
      keyValueHeads: shape.keyValueHeads, areNormed: true)
    return settings + [rope(drafter.ropeTheta, drafter.ropeScaling), epsilon(shape.normEpsilon)]
  }

  private static func sizes(
    context: Int, layers: Int, hidden: Int, intermediate: Int, heads: Int, width: Int,
    keyValueHeads: Int, areNormed: Bool
  ) -> [Setting] {
    [
      Setting("context", context), Setting("layers", layers), Setting("hidden", hidden),
      Setting("intermediate", intermediate),
      Setting(
        "heads",
        "\(heads) of \(width), \(keyValueHeads) for keys and values"
          + (areNormed ? ", q and k normed" : ""),
        [
          "heads": .integer(heads), "head dimension": .integer(width),
          "key value heads": .integer(keyValueHeads), "head norms": .bool(areNormed),
        ]),
    ]
  }

  private static func experts(_ experts: ExpertSettings, _ layers: Int) -> Setting {
    let (options, count) = (experts.options, (0..<layers).count(where: experts.areIn))
    var members: [String: JSONValue] = [
      "experts": .integer(options.count), "chosen experts": .integer(options.chosen),
      "expert width": .integer(options.intermediate), "layers with experts": .integer(count),
    ]
    members["shared expert width"] = options.shared.map { .integer($0.intermediate) }
    return Setting(
      "experts",
      "\(options.chosen) of \(Figures.count(options.count)), \(Figures.count(options.intermediate)) "
        + "wide, in \(count) of \(layers) layers"
        + (options.shared.map { ", beside a shared one, \(Figures.count($0.intermediate)) wide" }
          ?? ""),
      members)
  }

  private static func epsilon(_ value: Float) -> Setting {
    Setting(
      "norm epsilon", "\(value)", ["norm epsilon": .number(Double("\(value)") ?? Double(value))])
  }

  private static func rope(_ theta: Double, _ scaling: RopeScaling) -> Setting {
    let kind: String? =
      switch scaling {
      case .none: nil
      case .linear(let factor): "linear, factor \(factor)"
      case .dynamic(let factor): "dynamic, factor \(factor)"
      case .llama3(let factor, let low, let high, let original):
        "llama3, factor \(factor), low \(low), high \(high), original context "
          + Figures.count(original)
      case .yarn(let yarn):
        "yarn, factor \(yarn.factor), original context \(Figures.count(yarn.originalContext))"
      case .longrope(let long) where long.isUniform: "a divisor for each pair"
      case .longrope(let long):
        "longrope, original context \(Figures.count(long.originalContext))"
      }
    var members: [String: JSONValue] = ["rope theta": .number(theta)]
    members["rope scaling"] = kind.map { .string($0) }
    return Setting(
      "rope", ["theta \(theta)", kind].compactMap(\.self).joined(separator: ", "), members)
  }
}
