import Analysis
import Files
import Foundation
import Speculate
import Tensors
import Text
import Verifier

struct RunConfiguration {
  /// What a trace says of it.
  private(set) var description: TraceConfiguration
  let way: DecodingWay
  /// The format that was asked for; nil for as stored.
  let chosenFormat: WeightFormat?
  let generator: TextGenerator
  private(set) var parameters: GenerationParameters

  func decoding(_ parameters: GenerationParameters) -> RunConfiguration {
    var other = self
    other.parameters = parameters
    other.description.endTokens = parameters.endTokens
    return other
  }

  /// Continues a prompt by at most so many tokens; Ctrl-C ends it early.
  @discardableResult
  func generate(
    _ prompt: [Token], most: Int = .max, observer: RoundCollector? = nil
  ) throws -> GenerationResult {
    var parameters = parameters
    parameters.maximumTokens = min(most, parameters.maximumTokens)
    return try generator.generate(
      tokens: prompt, parameters: parameters, mode: way.mode, observer: observer,
      isCancelled: { Interruption.requested })
  }

  /// What outputs must be equal in: target, format and sampling.
  var group: String { description.baseline ?? description.name }
}

/// Every way of decoding that is to be compared, in every format and at every temperature, and plain
/// decoding for each of these.
struct ConfigurationGrid {
  let target: URL
  /// Plain decoding need not be among them: it always runs.
  let ways: [DecodingWay]
  /// nil takes the format as stored.
  let formats: [WeightFormat?]
  let parameters: [GenerationParameters]
  let threads: Int
  var chat = ChatSettings()
  /// Whether to say what loading showed.
  var saysNotices = true

  /// Loads the models, says what that showed, and names the combinations.
  ///
  /// A generator learns the speed of its drafts, so that each source of drafts has its own at every
  /// temperature; weights are shared.
  ///
  /// - Throws: `SpeculateError` for a folder that can't be used.
  func configurations() throws -> [RunConfiguration] {
    let tokenizer = try TokenizerLoader.load(directory: target)
    let chats = ChatEncoder(directory: target, tokenizer: tokenizer, settings: chat)
    var drafters: [URL: DrafterModel] = [:]
    let targetWeights = try ModelFingerprint.of(target)
    let drafterWeights = try Dictionary(
      uniqueKeysWithValues: Set(ways.compactMap(\.drafter)).map {
        ($0, try ModelFingerprint.of($0))
      })
    for url in ways.compactMap(\.drafter) where drafters[url] == nil {
      drafters[url] = try DrafterModel(directory: url, tokenizer: tokenizer)
    }
    var made: [RunConfiguration] = []
    for format in formats {
      let model = try CausalModel(directory: target, weights: WeightFormatChoice(layers: format))
      if made.isEmpty, saysNotices {
        Output.notices(
          model.notices
            + drafters.sorted { $0.key.path < $1.key.path }.flatMap(\.value.notices),
          of: model, sampling: parameters[0].sampling)
      }
      for parameters in parameters {
        let suffix = suffix(parameters, model.formats.layers.rawValue)
        var generators: [String: TextGenerator] = [:]
        for way in [.plain] + ways.filter({ $0 != .plain }) {
          let drafter = way.drafter
          let label = drafters.count > 1 ? drafter?.lastPathComponent : nil
          let name = way.name(label ?? "draft") + suffix
          let generator =
            try generators[learning(way)]
            ?? TextGenerator(
              model: model, tokenizer: tokenizer, chats: chats,
              drafter: drafter.flatMap { drafters[$0] }, threads: threads)
          generators[learning(way)] = generator
          var description = TraceConfiguration(
            name: name, target: target, generator: generator, way: way, parameters: parameters,
            baseline: way == .plain ? nil : "plain" + suffix)
          description.targetWeights = targetWeights
          description.drafterWeights = drafter.flatMap { drafterWeights[$0] }
          made.append(
            RunConfiguration(
              description: description, way: way, chosenFormat: format, generator: generator,
              parameters: parameters))
        }
      }
    }
    return try unique(made)
  }

  /// The same for ways whose experience is of use to each other.
  private func learning(_ way: DecodingWay) -> String {
    guard case .draft(let drafting) = way else { return "" }
    return
      "\(drafting.drafter?.path ?? "suffix") \(drafting.looksUp) \(drafting.recycling) \(drafting.denoising?.text ?? "")"
  }

  private func suffix(_ parameters: GenerationParameters, _ format: String) -> String {
    var suffix = ""
    if self.parameters.count > 1 { suffix += " t=\(parameters.sampling.temperature)" }
    if formats.count > 1 { suffix += " \(format)" }
    return suffix
  }

  private func unique(_ made: [RunConfiguration]) throws -> [RunConfiguration] {
    let names = made.map(\.description.name)
    guard Set(names).count == names.count else {
      throw SpeculateError(
        "two configurations are the same; name each drafter, length, temperature and weight format once, "
          + "and drafters in folders of different names")
    }
    return made
  }
}

extension TraceConfiguration {
  /// Describes generations by a generator.
  ///
  /// - Parameters:
  ///   - target: the folder of its target.
  ///   - way: how it decodes.
  init(
    name: String, target: URL, generator: TextGenerator, way: DecodingWay,
    parameters: GenerationParameters, baseline: String? = nil
  ) {
    self.init(
      name: name, target: target.path, decoder: "plain",
      format: generator.model.formats.layers.rawValue,
      sampling: parameters.sampling, maximumTokens: parameters.maximumTokens,
      ignoresEnd: parameters.ignoresEnd, endTokens: parameters.endTokens, baseline: baseline)
    switch way {
    case .plain: break
    case .jacobi(let options):
      decoder = "jacobi"
      suffix = options.suffix
    case .draft(let drafting):
      verification = parameters.verification == .match ? nil : parameters.verification
      decoder = drafting.drafter == nil ? "suffix" : "drafter"
      drafter = drafting.drafter?.path
      draftLength = drafting.length
      maximumDrafts = generator.drafter?.maximumDrafts
      draftChoice = drafting.choice
      suffix = drafting.looksUp
      recycling = drafting.recycling
    }
  }
}
