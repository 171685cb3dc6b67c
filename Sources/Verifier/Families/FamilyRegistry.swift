import Files

package struct FamilyRegistry: Sendable {
  package static let standard = FamilyRegistry([
    .llama, .mistral, .mixtral, .qwen2, .qwen2MoE, .qwen3, .qwen3MoE, .olmoe, .graniteMoE, .gptOSS,
    .gpt2, .gptNeoX, .starCoder2, .phi, .phi3, .cohere, .cohere2,
    .olmo, .stableLM, .nemotron,
  ])

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
          "the architecture \(quoted(architecture)) is not supported; use one of "
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
        "the model type \(quoted(modelType)) is not supported; use one of "
          + families.map(\.name).joined(separator: ", "))
    }
    return family
  }
}
