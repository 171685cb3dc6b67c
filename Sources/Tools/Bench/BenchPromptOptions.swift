import Analysis
import ArgumentParser
import Drafter
import Speculate
import Tensors
import Verifier

/// Prompts to decode plainly and speculatively, and how.
struct BenchPromptOptions: ParsableArguments {
  @Option(
    name: .customLong("prompt-file"), parsing: .unconditional,
    help: ArgumentHelp(
      "Measure plain and speculative decoding of these prompts in turn: a .jsonl file with a 'prompt' "
        + "field or a chat in every line, or a text file, which is one; - reads standard input.",
      valueName: "file"))
  var file: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Take the first n prompts only.", valueName: "n"))
  var limit: Int?

  @OptionGroup var drafter: DrafterOptions
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var drafting: DraftOptions

  func validate() throws {
    guard file != nil else {
      if try isAnyGiven() {
        throw ValidationError(
          "--limit and the options of drafting and of output belong to --prompt-file: give it too")
      }
      return
    }
    if let limit, limit < 1 {
      throw ValidationError("--limit \(limit) is out of range: use 1 or more")
    }
    if drafter.drafter == DrafterChoice.none {
      throw ValidationError("--prompt-file needs a drafter: leave out --drafter none")
    }
    if drafter.isSuffix && drafting.suffix == false {
      throw ValidationError("--no-suffix leaves --drafter suffix without drafts: drop one of them")
    }
  }

  /// Whether any option differs from what it is without being given.
  private func isAnyGiven() throws -> Bool {
    let usual = try SamplingOptions.parse([]).parameters
    return limit != nil || drafter.drafter != nil || drafter.weights != nil || drafter.passes != nil
      || drafting.draftLength != nil || drafting.rule.draftChoice != nil || drafting.suffix != nil
      || drafting.recycling != nil || drafting.remeasure
      || sampling.parameters != usual
  }

  /// The prompts, at least one.
  func read(_ file: String) throws -> [PromptInput.Prompt] {
    let prompts = try PromptInput.file(file)
    return limit.map { Array(prompts.prefix($0)) } ?? prompts
  }

  /// The way of decoding beside the plain one.
  func way() throws -> DecodingWay {
    try drafting.way(drafter: drafter.folder(), isSuffix: drafter.isSuffix)
  }

  /// What drafts, and the format of its matrices.
  func description(_ generator: TextGenerator) -> String {
    let name =
      switch drafter.drafter {
      case .some(.folder(let path)): path
      case nil: "embedded drafter"
      case .some: "suffix"
      }
    return switch generator.drafter {
    case .block(let model): "\(name), \(model.format.rawValue)"
    case .causal(let model, _): "\(name), \(model.formats)"
    case nil: name
    }
  }
}
