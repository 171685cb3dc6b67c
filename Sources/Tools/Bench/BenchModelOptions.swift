import ArgumentParser
import Foundation
import Tensors
import Verifier

/// Which model is measured: a folder's, or random weights of a published shape.
struct BenchModelOptions: ParsableArguments {
  @OptionGroup var target: TargetOptions
  @Option(
    """
    Measure random weights of a published model's shape instead of a target: bf16 unless --weights \
    says otherwise.
    """, value: "name")
  var shape: PublishedShape?
  @OptionGroup var weights: WeightOptions

  func validate() throws {
    if shape != nil && target.target != nil {
      throw ValidationError("--shape and --target name two models: give one of them")
    }
  }

  /// The model to measure, after what loading it showed has been said.
  ///
  /// - Throws: `SpeculateError` when the target's folder can't be loaded.
  func load() throws -> CausalModel {
    guard let shape else {
      let model = try CausalModel(directory: target.folder(), weights: weights.choice)
      Output.notices(of: model)
      return model
    }
    return CausalModel(
      random: shape.configuration, seed: 1,
      formats: weights.choice.applied(to: WeightFormats(layers: .bf16)))
  }

  var name: String { shape?.rawValue ?? target.target ?? "embedded target" }
}
