import Files
import Hummingbird
import NIOCore
import Speculate

/// Answers as they come, as server-sent events.
///
/// A slow reader makes the writer wait, so that events wait, so that its sequence pauses; nobody else does.
final class AnswerStream: Sendable {
  private let plan: AnswerPlan
  private let streams: [BatchStream]
  private let deadline: ContinuousClock.Instant

  /// Has all answers begun, which end at the deadline.
  ///
  /// - Throws: ``APIError`` when the model takes no more, or a request can't be decoded.
  init(
    _ plan: AnswerPlan, _ service: ModelService, deadline: ContinuousClock.Instant
  ) throws {
    self.plan = plan
    self.deadline = deadline
    streams = try plan.choices.map { try service.submit($0.request) }
  }

  /// Ends the generation before its next round.
  func cancel() { for stream in streams { stream.cancel() } }

  /// Writes all events.
  ///
  /// - Returns: what the answers used, so far as they came to their end.
  func write(to writer: inout any ResponseBodyWriter) async throws -> Usage {
    defer { cancel() }
    var usage = Usage()
    do {
      if plan.choices.count == 1 {
        try await writeOne(&writer, &usage)
      } else {
        try await writeAll(&writer, &usage)
      }
      if plan.includeUsage {
        let last = plan.head.json(plan.shape.kinds.part, choices: [], ["usage": usage.json])
        try await writer.write(ServerSentEvent.data(last))
      }
      try await writer.write(ServerSentEvent.done)
    } catch let error as APIError {
      try await writer.write(ServerSentEvent.data(error.json))
    }
    return usage
  }

  private func writeOne(
    _ writer: inout any ResponseBodyWriter, _ usage: inout Usage
  ) async throws {
    var choice = plan.choices[0]
    if let opening = begun(&choice) { try await writer.write(opening) }
    var isOver = false
    do {
      for try await event in streams[0] {
        try checkTime()
        for buffer in try buffers(event, &choice, &usage) { try await writer.write(buffer) }
        if case .finished = event { isOver = true }
      }
    } catch let error as SpeculateError {
      throw APIError(500, error.description, code: "internal_error")
    }
    if !isOver { throw interruption }
  }

  /// Takes an event of each answer in turn as they come.
  private func writeAll(
    _ writer: inout any ResponseBodyWriter, _ usage: inout Usage
  ) async throws {
    var choices = plan.choices
    for index in choices.indices {
      if let opening = begun(&choices[index]) { try await writer.write(opening) }
    }
    // One task waits for the next event of each answer.
    try await withThrowingTaskGroup(of: (Int, BatchEvent?).self) { group in
      func wait(_ index: Int) {
        group.addTask { [stream = streams[index]] in
          var iterator = stream.makeAsyncIterator()
          return (index, try await iterator.next())
        }
      }
      for index in choices.indices { wait(index) }
      var open = choices.count
      do {
        while open > 0, let (index, event) = try await group.next() {
          guard let event else { throw interruption }
          try checkTime()
          for buffer in try buffers(event, &choices[index], &usage) {
            try await writer.write(buffer)
          }
          if case .finished = event { open -= 1 } else { wait(index) }
        }
      } catch let error as SpeculateError {
        throw APIError(500, error.description, code: "internal_error")
      }
    }
  }

  /// Why events ended before the answer did.
  private var interruption: APIError {
    ContinuousClock.now < deadline ? APIError.leaving : APIError.tookTooLong
  }

  /// Ends the answer at its deadline, also when busy threads keep the timer waiting.
  private func checkTime() throws {
    guard ContinuousClock.now < deadline else { throw APIError.tookTooLong }
  }

  /// What begins an answer. One that tells the scores of its prompt begins when they are there.
  private func begun(_ choice: inout Choice) -> ByteBuffer? {
    guard choice.request.promptScores == nil else { return nil }
    return plan.shape.opening(&choice).map { chunk($0, nil) }
  }

  private func buffers(
    _ event: BatchEvent, _ choice: inout Choice, _ usage: inout Usage
  ) throws -> [ByteBuffer] {
    switch event {
    case .prompt(let scores):
      choice.promptScores = scores
      return plan.shape.opening(&choice).map { [chunk($0, nil)] } ?? []
    case .token(let token):
      let delta = choice.output.take(token)
      guard !delta.isEmpty else { return [] }
      return [part(delta, &choice, (choice.output.tokens, choice.output.rounds))]
    case .finished(let result):
      let reason = result.output.finishReason
      // What was cut may not look like a whole answer.
      guard reason != .cancelled else { throw interruption }
      usage.add(choice, result)
      let delta = choice.output.finish(reason)
      let count = (result.output.tokens.count, result.output.statistics.targetPasses)
      let rest = delta.isEmpty ? [] : [part(delta, &choice, count)]
      let ending = plan.shape.ending(choice, reason: choice.output.word(reason))
      return rest + [
        chunk(
          ending,
          plan.tellsOrigins ? Origins.json([], tokens: count.0, rounds: count.1) : nil)
      ]
    }
  }

  private func part(
    _ delta: ChoiceOutput.Delta, _ choice: inout Choice, _ count: (tokens: Int, rounds: Int)
  ) -> ByteBuffer {
    let origins =
      plan.tellsOrigins
      ? Origins.json(delta.origins, tokens: count.tokens, rounds: count.rounds) : nil
    return chunk(plan.shape.part(&choice, delta), origins)
  }

  private func chunk(_ choice: JSONValue, _ origins: JSONValue?) -> ByteBuffer {
    var more: [String: JSONValue] = [:]
    if plan.includeUsage { more["usage"] = .null }
    more["speculate"] = origins
    return ServerSentEvent.data(
      plan.head.json(plan.shape.kinds.part, choices: [choice], more))
  }
}
