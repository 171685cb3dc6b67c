import Analysis
import ArgumentParser
import Drafter
import Speculate
import Tensors
import Verifier

/// Prompts to decode plainly and speculatively, and how.
struct BenchPromptOptions: ParsableArguments {
  @Option(
    """
    Measure plain and speculative decoding of these prompts in turn: a .jsonl file with a 'prompt' \
    field or a chat in every line, or a text file, which is one; - reads standard input.
    """, value: "file", name: .customLong("prompt-file"), parsing: .unconditional)
  var file: String?
  @OptionGroup var limit: PromptLimit
  @OptionGroup var template: ChatTemplateFlags
  @OptionGroup var drafter: DrafterOptions
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var drafting: DraftOptions
  @OptionGroup var rule: VerificationOptions

  func validate() throws {
    guard file != nil else {
      if try isAnyGiven() {
        throw ValidationError(
          "--limit and the options of drafting and of output belong to --prompt-file: give it too")
      }
      return
    }
    if drafter.drafter == DrafterChoice.none {
      throw ValidationError("--prompt-file needs a drafter: leave out --drafter none")
    }
    try drafting.check(drafter)
    try rule.check(sampling, drafting)
  }

  /// Whether any option differs from what it is without being given.
  private func isAnyGiven() throws -> Bool {
    let usual = try SamplingOptions.parse([]).parameters
    return limit.count != nil || drafter.drafter != nil || drafter.weights != nil
      || drafter.passes != nil
      || drafting.draftLength != nil || drafting.rule.draftChoice != nil || drafting.suffix != nil
      || drafting.recycling != nil || drafting.branches != nil || drafting.denoising != nil
      || drafting.remeasure
      || sampling.parameters != usual || template.isGiven || rule.isGiven
  }

  func read(_ file: String) throws -> [PromptInput.Prompt] {
    limit.first(of: try PromptInput.file(file))
  }

  func description(_ generator: TextGenerator) -> String {
    let name =
      switch drafter.drafter {
      case .some(.folder(let path)): path
      case nil where generator.drafter != nil: "embedded drafter"
      default: "suffix"
      }
    return switch generator.drafter {
    case .block(let model): "\(name), \(model.format.rawValue)"
    case .causal(let model, _, _): "\(name), \(model.formats)"
    case .answers, nil: name
    }
  }
}
