/// Options that mean nothing without another one, or beside it.
///
/// What depends on more than which options were given, a command checks by itself.
struct OptionRule {
  private enum Relation {
    case belongs, meansNothing
  }

  /// Words of the command, `distill train`.
  private let command: String
  private let options: [String]
  private let relation: Relation
  /// Options, some with a value: `--drafter none`.
  private let others: [String]

  static let all = [
    belongs("convert", ["--perplexity-tokens", "--threads"], to: ["--perplexity"]),
    belongs(
      "pretrain", ["--evaluate-every", "--evaluation-batch"],
      to: ["--heldout-data", "--heldout-tokens"]),
    belongs(
      "distill train", ["--evaluate-every", "--evaluation-prompts", "--evaluation-length"],
      to: ["--heldout", "--heldout-tokens", "--prompts"]),
    belongs(
      "force train",
      ["--evaluate-every", "--evaluation-tokens", "--evaluation-prompts", "--evaluation-length"],
      to: ["--heldout"]),
    belongs("force train", ["--memory"], to: ["--divergence"]),
    meansNothing(
      "distill train", ["--responses", "--response-length", "--temperature", "--sampled-share"],
      with: "--responses-from"),
    meansNothing(
      "force train", ["--responses", "--response-length", "--response-batch", "--answer-drafter"],
      with: "--trajectories-from"),
    meansNothing("generate", plainless + ["--remeasure"], with: "--drafter none"),
    meansNothing(
      "generate", ["--drafter-weights", "--draft-choice", "--branches"], with: "--drafter suffix"),
    meansNothing("generate", ["--drafter-weights"], with: "--decoder jacobi"),
    meansNothing("serve", plainless + ["--remeasure"], with: "--drafter none"),
    meansNothing(
      "serve", ["--drafter-weights", "--draft-choice", "--branches"], with: "--drafter suffix"),
    meansNothing("generate", ["--echo", "--stats"], with: "--json"),
    meansNothing("bench decode", ["--drafter-weights"], with: "--drafter suffix"),
  ]

  /// What plain decoding has no use for.
  private static let plainless = [
    "--draft-length", "--draft-choice", "--branches", "--suffix", "--recycling",
    "--drafter-weights",
  ]

  private static func belongs(
    _ command: String, _ options: [String], to others: [String]
  ) -> OptionRule {
    OptionRule(command: command, options: options, relation: .belongs, others: others)
  }

  private static func meansNothing(
    _ command: String, _ options: [String], with other: String
  ) -> OptionRule {
    OptionRule(command: command, options: options, relation: .meansNothing, others: [other])
  }

  /// What is wrong with the options of a command; nil where nothing is.
  ///
  /// - Parameter given: Options, those with a value followed by it.
  static func complaint(_ command: String, _ given: Set<String>) -> String? {
    for rule in all where rule.command == command {
      guard let option = rule.options.first(where: given.contains) else { continue }
      let isThere = rule.others.contains(where: given.contains)
      switch rule.relation {
      case .belongs where !isThere:
        return "\(option) belongs to \(rule.others.joined(separator: " or ")): give it too"
      case .meansNothing where isThere:
        return "\(option) means nothing with \(rule.others[0]): leave one of them out"
      default: continue
      }
    }
    return nil
  }
}
