import Files
package import Foundation
package import Speculate
package import Tensors
package import Text
package import Verifier

/// What a table of answers is to be made of.
package struct TableOptions {
  package var target: URL
  /// Answers to make or to read.
  package var responses: DistillOptions.Responses
  package var output: URL
  package var chat: ChatSettings
  package var ranks: any Communicator

  package init(
    target: URL, responses: DistillOptions.Responses, output: URL, chat: ChatSettings,
    ranks: any Communicator
  ) {
    self.target = target
    self.responses = responses
    self.output = output
    self.chat = chat
    self.ranks = ranks
  }
}

/// Counts what a target's answers say, into a drafter without a network.
///
/// Answers that are to be made lie in the folder `responses` of the output; what was interrupted goes on there.
package final class TableRecipe {
  private let options: TableOptions
  private let responding: ResponseRecipe
  private let claim: OutputClaim?  // of the rank that writes
  private var plan: ResponseRecipe.Plan?

  /// The model that answers.
  package var target: CausalModel { responding.target }

  /// Opens the target, and checks all that the run will need before it answers for long.
  package init(_ options: TableOptions, workers: Workers) throws {
    self.options = options
    responding = try ResponseRecipe(target: options.target, workers: workers, chat: options.chat)
    var made: [OutputClaim.Input] = []
    switch options.responses {
    case .make(let wanted):
      plan = try responding.plan(wanted, folder: Self.responses(in: options.output))
    case .made(let folders):
      made = folders.map { OutputClaim.Input("responses from", $0) }
    }
    claim = try options.ranks.claim(
      options.output, for: OutputClaim.Job("distill table"),
      apartFrom: responding.inputs(plan?.options) + made)
  }

  /// Makes the answers that are still missing, or reads those made earlier.
  ///
  /// - Returns: all answers in order, or nil when it was stopped before.
  package func respond(
    shouldStop: () -> Bool, report: (ResponseProgress) -> Void
  ) throws -> [Response]? {
    switch options.responses {
    case .make(let wanted):
      let folder = Self.responses(in: options.output)
      let plan = try self.plan ?? responding.plan(wanted, folder: folder)
      self.plan = nil
      return try responding.respond(
        plan, folder: folder, ranks: options.ranks, shouldStop: shouldStop, report: report)
    case .made(let folders):
      return try options.ranks.share { try folders.flatMap(responding.responses) }
    }
  }

  /// Counts, and writes the table.
  package func write(_ answers: [Response]) throws -> AnswerTable {
    var counter = AnswerCounter(
      vocabularySize: target.configuration.vocabularySize,
      tokenizer: responding.tokenizer.fingerprint)
    for answer in answers { counter.add(answer.tokens, promptLength: answer.promptLength) }
    let table = counter.table()
    guard table.count > 0 else {
      throw SpeculateError("the answers repeat nothing: make more of them")
    }
    if options.ranks.isFirst { try table.write(to: options.output) }
    return table
  }

  private static func responses(in output: URL) -> URL {
    output.appendingPathComponent("responses")
  }
}
