import Files

package struct FamilyRegistry: Sendable {
  package static let standard = FamilyRegistry([
    .llama, .mistral, .mixtral, .qwen2, .qwen2MoE, .qwen3, .qwen3MoE, .gptOSS, .gpt2, .gptNeoX,
    .starCoder2, .phi, .phi3, .cohere, .cohere2, .olmo, .stableLM, .nemotron, .gemma, .gemma2,
    .gemma3, .gemma3Text, .smolLM3, .olmo2, .olmo3, .olmoe, .granite, .granite4, .graniteMoE, .glm,
    .glm4, .ernie, .seedOSS, .exaone4, .helium,
  ])

  /// The beginnings of names of architectures, in small letters, whose layers keep a state that can't go
  /// back to an earlier token.
  static let recurrent = [
    "mamba", "falconmamba", "jamba", "bamba", "zamba", "rwkv", "recurrentgemma", "falconh1", "lfm2",
    "qwen3next", "qwen35", "nemotronh", "kimilinear", "plamo2", "xlstm",
  ]

  /// Why an architecture is not supported, as far as this is known.
  private static func reason(_ architecture: String) -> String {
    let plain = architecture.lowercased().filter { $0.isLetter || $0.isNumber }
    return recurrent.contains(where: plain.hasPrefix)
      ? ", as it has recurrent layers, which can't go back to an earlier token" : ""
  }

  /// The families, in the order in which messages list them.
  package let families: [ModelFamily]

  package init(_ families: [ModelFamily]) { self.families = families }

  /// Whether the registry has a family of that name in `architectures`.
  package func has(architecture: String) -> Bool {
    families.contains { $0.architecture == architecture }
  }

  /// The family by `architectures`, or by `model_type` where there are none.
  func family(of file: ConfigurationFile) throws -> ModelFamily {
    let modelType = try file.text("model_type")
    let architecture = try file.texts("architectures")?.first
    if let architecture {
      guard let family = families.first(where: { $0.architecture == architecture }) else {
        throw file.problem(
          "the architecture \(quoted(architecture)) is not supported\(Self.reason(architecture)); use "
            + "one of "
            + families.map(\.architecture).joined(separator: ", "))
      }
      if let modelType, modelType != family.name {
        throw file.problem(
          "architectures says \(architecture), but model_type says \(quoted(modelType)); correct "
            + "one of them")
      }
      return family
    }
    guard let modelType else {
      throw file.problem(
        "architectures and model_type are missing; give the config.json of a causal model")
    }
    guard let family = families.first(where: { $0.name == modelType }) else {
      throw file.problem(
        "the model type \(quoted(modelType)) is not supported\(Self.reason(modelType)); use one of "
          + families.map(\.name).joined(separator: ", "))
    }
    return family
  }
}
