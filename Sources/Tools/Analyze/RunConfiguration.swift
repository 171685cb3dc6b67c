import Drafter
import Foundation
import Speculate
import Tensors
import Verifier

/// One way of decoding that is ready to run.
struct RunConfiguration {
  /// What a trace says of it.
  let description: TraceConfiguration
  let generator: TextGenerator
  let mode: DecodingMode
  let parameters: GenerationParameters

  /// What outputs must be equal in: target, format and sampling.
  var group: String { description.baseline ?? description.name }
}

/// Every combination of what is to be compared, and plain decoding for each group of them.
struct ConfigurationGrid {
  let target: URL
  let drafters: [URL]
  let lengths: [Int?]
  let choice: DraftChoice?
  /// nil takes the format as stored.
  let formats: [WeightFormat?]
  let temperatures: [Float]
  let parameters: GenerationParameters
  let threads: Int

  /// Loads the models and names the combinations.
  ///
  /// A generator learns the speed of its drafts, so that each drafter has its own at every
  /// temperature; weights are shared.
  ///
  /// - Throws: `SpeculateError` for a folder that can't be used.
  func configurations() throws -> [RunConfiguration] {
    let tokenizer = try TokenizerLoader.load(directory: target)
    let loaded = try drafters.map { try (url: $0, drafter: try BlockDrafter(directory: $0)) }
    var made: [RunConfiguration] = []
    for format in formats {
      let model = try CausalModel(directory: target, weights: WeightFormatChoice(layers: format))
      let plain = try TextGenerator(model: model, tokenizer: tokenizer, threads: threads)
      for temperature in temperatures {
        var parameters = parameters
        parameters.sampling.temperature = temperature
        let suffix = suffix(temperature, model.formats.layers.rawValue)
        func add(_ name: String, _ drafter: URL?, _ generator: TextGenerator, _ mode: DecodingMode)
        {
          let name = name + suffix
          let description = TraceConfiguration(
            name: name, target: target, drafter: drafter, generator: generator, mode: mode,
            parameters: parameters, baseline: drafter == nil ? nil : "plain" + suffix)
          made.append(
            RunConfiguration(
              description: description, generator: generator, mode: mode, parameters: parameters))
        }
        add("plain", nil, plain, .plain)
        for drafter in loaded {
          let generator = try TextGenerator(
            model: model, tokenizer: tokenizer, drafter: drafter.drafter, threads: threads)
          for length in lengths {
            let label = loaded.count > 1 ? drafter.url.lastPathComponent : "draft"
            add(
              "\(label) \(length.map(String.init) ?? "auto")", drafter.url, generator,
              .speculative(drafts: length, choice: choice))
          }
        }
      }
    }
    return try unique(made)
  }

  private func suffix(_ temperature: Float, _ format: String) -> String {
    var suffix = ""
    if temperatures.count > 1 { suffix += " t=\(temperature)" }
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
