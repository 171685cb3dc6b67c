package import Files
internal import Foundation
package import Tensors

/// Writes a model as a GGUF file (docs/gguf.md).
///
/// The file appears whole or not at all. It doesn't judge the result; perplexity does.
package struct GGUFModelConverter {
  package let types: GGUFTypes
  package let plan: GGUFPlan

  /// Plans a file, and checks that its readers will see the same model.
  ///
  /// - Parameters:
  ///   - name: What the file calls the model.
  ///   - tokenizer: The metadata of the tokenizer and the chat template.
  /// - Throws: `SpeculateError` naming what a GGUF file can't say about the model.
  package init(
    _ origin: ModelOrigin, types: GGUFTypes, name: String,
    tokenizer: [(key: String, value: GGUFValue)]
  ) throws {
    self.types = types
    guard origin.configuration.isStoredPlainly, origin.configuration.experts == nil,
      origin.configuration.family.norm.scale != .onePlusStored,
      origin.configuration.family.headNorm.scale != .onePlusStored
    else {
      throw SpeculateError(
        "\(origin.url.path): models of the family \(quoted(origin.configuration.family.name)) can't be "
          + "written to GGUF files yet; convert to a folder instead")
    }
    var first: SpeculateError?
    for architecture in GGUFArchitecture.candidates(for: origin.configuration) {
      let plan = Self.plan(origin, architecture, types: types, name: name, tokenizer)
      do {
        let read = try ModelConfiguration(plan.outline(at: origin.url))
        guard let setting = try origin.configuration.difference(from: read) else {
          self.plan = plan
          return
        }
        first =
          first
          ?? SpeculateError(
            "\(origin.url.path): a GGUF file of the architecture \(quoted(architecture.name)) can't "
              + "say this model's \(setting); convert to a folder instead")
      } catch let error as SpeculateError {
        first = first ?? error
      }
    }
    throw first ?? SpeculateError("\(origin.url.path): no GGUF architecture computes this model")
  }

  private static func plan(
    _ origin: ModelOrigin, _ architecture: GGUFArchitecture, types: GGUFTypes, name: String,
    _ tokenizer: [(key: String, value: GGUFValue)]
  ) -> GGUFPlan {
    let places = architecture.places(of: origin.configuration, in: nil)
    let isTied = origin.isTied
    let headPlace = places[origin.configuration.family.tensors.head]
    let conversions = origin.tensors.flatMap { tensor -> [GGUFConversion] in
      guard let place = places[tensor.name] else { return [] }
      let type =
        switch tensor.part {
        case .embedding: types.embedding
        case .head: types.head
        case .matrix: types.layers
        case .other: GGUFTensorType.f32
        }
      let own = GGUFConversion(tensor.origin, to: place, type: type)
      // Readers take the embedding for the head where there is no head.
      guard isTied, tensor.part == .embedding, types.head != types.embedding, let headPlace else {
        return [own]
      }
      return [own, GGUFConversion(tensor.origin, to: headPlace, type: types.head)]
    }
    return GGUFPlan(
      architecture: architecture.name, name: name, types: types,
      metadata: architecture.metadata(of: origin.configuration) + tokenizer, conversions,
      extras: architecture.extras(of: origin.configuration))
  }
}
