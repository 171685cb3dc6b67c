import Files
import Foundation
import Speculate

/// The lines of a trace, as text. docs/analysis.md describes them.
enum TraceLines {
  /// The line after everything about one task.
  static let unitEnd = #"{"kind":"unit"}"# + "\n"

  static func header(_ header: TraceHeader) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(header), as: UTF8.self) + "\n"
  }

  /// A prompt, before the first generation from it.
  static func prompt(_ prompt: TracePrompt) -> String {
    #"{"kind":"prompt","prompt":\#(prompt.number),"task":\#(prompt.task),"turn":\#(prompt.turn),"#
      + #""category":\#(jsonLiteral(prompt.category)),"place":\#(jsonLiteral(prompt.place)),"#
      + #""ids":\#(list(prompt.ids))}"# + "\n"
  }

  /// The texts of tokens, before the first line that names them.
  static func texts(_ texts: [(Token, String)]) -> String {
    let members = texts.map { #""\#($0)":\#(jsonLiteral($1))"# }
    return #"{"kind":"tokens","texts":{\#(members.joined(separator: ","))}}"# + "\n"
  }

  /// A generation: its first line, its rounds, and its last line.
  static func generation(_ entry: TraceEntry) -> String {
    let generation = entry.generation
    var text =
      #"{"kind":"generation","configuration":\#(entry.configuration),"prompt":\#(entry.prompt),"#
      + #""repeat":\#(entry.repetition),"prompt_tokens":\#(generation.promptTokens)}"# + "\n"
    for round in generation.rounds { text += line(round) }
    let tokens = generation.rounds.reduce(0) { $0 + $1.tokens.count }
    text +=
      #"{"kind":"end","finish":"\#(generation.finishReason.rawValue)","tokens":\#(tokens),"#
      + #""rounds":\#(generation.rounds.count),"prefill_us":\#(micro(generation.prefillSeconds))}"#
      + "\n"
    return text
  }

  private static func line(_ round: RoundRecord) -> String {
    var text = #"{"kind":"round","at":\#(round.position)"#
    if let origin = round.origin {
      text += #","source":"\#(origin.rawValue)","drafted":\#(round.drafted)"#
      if round.passDrafts > 0 { text += #","pass":\#(round.passDrafts)"# }
      text += #","drafts":\#(list(round.drafts))"#
      if !round.origins.isEmpty {
        text += #","sources":\#(list(round.origins.map { jsonLiteral($0.rawValue) }))"#
      }
      if !round.confidences.isEmpty {
        text += #","q":\#(list(round.confidences.map { $0.map(number) ?? "null" }))"#
      }
      if !round.parents.isEmpty { text += #","parents":\#(list(round.parents))"# }
      text += #","accepted":\#(round.accepted)"#
    }
    text += #","tokens":\#(list(round.tokens)),"p":\#(list(round.probabilities))"#
    if let rejection = round.rejection {
      text +=
        #","rejected":{"p":\#(number(rejection.probability)),"draft":\#(list(rejection.draft)),"#
        + #""target":\#(list(rejection.target))}"#
    }
    let seconds = round.seconds
    text += #","rows":\#(round.rows),"us":{"#
    if round.origin != nil { text += #""draft":\#(micro(seconds.draft)),"# }
    text +=
      #""verify":\#(micro(seconds.verify)),"sample":\#(micro(seconds.sampling)),"#
      + #""other":\#(micro(seconds.other))}}"#
    return text + "\n"
  }

  private static func list(_ values: [some BinaryInteger]) -> String {
    "[" + values.map { String($0) }.joined(separator: ",") + "]"
  }

  private static func list(_ values: [String]) -> String {
    "[" + values.joined(separator: ",") + "]"
  }

  private static func list(_ values: [Float]) -> String { list(values.map(number)) }

  private static func list(_ candidates: [TokenCandidate]) -> String {
    "[" + candidates.map { "[\($0.token),\(number($0.probability))]" }.joined(separator: ",") + "]"
  }

  /// A probability with six figures. One that is no number, from a broken model, becomes 0.
  private static func number(_ value: Float) -> String {
    value.isFinite ? String(format: "%.6g", Double(value)) : "0"
  }

  /// Seconds as microseconds with one decimal.
  private static func micro(_ seconds: Double) -> String {
    String(format: "%.1f", max(0, seconds) * 1e6)
  }
}
