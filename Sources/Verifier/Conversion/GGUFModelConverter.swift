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
    let tensors = try origin.modelTensors()
    var first: SpeculateError?
    for architecture in GGUFArchitecture.candidates(for: origin.configuration) {
      let plan = Self.plan(origin, tensors, architecture, types: types, name: name, tokenizer)
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
    _ origin: ModelOrigin, _ tensors: [ModelOrigin.Tensor], _ architecture: GGUFArchitecture,
    types: GGUFTypes, name: String, _ tokenizer: [(key: String, value: GGUFValue)]
  ) -> GGUFPlan {
    let places = architecture.places(of: origin.configuration, in: nil)
    let isTied = origin.isTied
    let headPlace = places[origin.configuration.family.tensors.head]
    var conversions: [GGUFConversion] = []
    let placed = tensors.compactMap { tensor in places[tensor.name].map { (tensor, $0) } }
    for (_, group) in Dictionary(grouping: placed, by: \.1.name).sorted(by: { $0.key < $1.key }) {
      let part = group[0].0.part
      let type =
        switch part {
        case .embedding: types.embedding
        case .head: types.head
        case .matrix: types.layers
        case .other: GGUFTensorType.f32
        }
      conversions.append(
        GGUFConversion(
          group.map { tensor, place in
            (tensor.addsOne ? tensor.origin.adding(1) : tensor.origin, place)
          }, type: type))
      // Readers take the embedding for the head where there is no head.
      if isTied, part == .embedding, types.head != types.embedding, let headPlace {
        conversions.append(GGUFConversion(group[0].0.origin, to: headPlace, type: types.head))
      }
    }
    return GGUFPlan(
      architecture: architecture.name, name: name, types: types,
      metadata: architecture.metadata(of: origin.configuration) + tokenizer, conversions,
      extras: architecture.extras(of: origin.configuration))
  }
}
