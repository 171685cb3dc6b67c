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
    var iterator = streams[0].makeAsyncIterator()
    do {
      while case let events = try await iterator.nextTogether(), !events.isEmpty {
        try checkTime()
        for buffer in buffers(events, &choice, &usage) { try await writer.write(buffer) }
        isOver = try isLast(events)
      }
    } catch let error as SpeculateError {
      throw APIError(500, error.description, code: "internal_error")
    }
    if !isOver { throw interruption }
  }

  /// Takes what comes of each answer in turn.
  private func writeAll(
    _ writer: inout any ResponseBodyWriter, _ usage: inout Usage
  ) async throws {
    var choices = plan.choices
    for index in choices.indices {
      if let opening = begun(&choices[index]) { try await writer.write(opening) }
    }
    // One task waits for the next events of each answer.
    try await withThrowingTaskGroup(of: (Int, [BatchEvent]).self) { group in
      func wait(_ index: Int) {
        group.addTask { [stream = streams[index]] in
          var iterator = stream.makeAsyncIterator()
          return (index, try await iterator.nextTogether())
        }
      }
      for index in choices.indices { wait(index) }
      var open = choices.count
      do {
        while open > 0, let (index, events) = try await group.next() {
          guard !events.isEmpty else { throw interruption }
          try checkTime()
          for buffer in buffers(events, &choices[index], &usage) {
            try await writer.write(buffer)
          }
          if try isLast(events) { open -= 1 } else { wait(index) }
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

  /// Whether events end an answer.
  private func isLast(_ events: [BatchEvent]) throws -> Bool {
    guard case .finished(let result)? = events.last else { return false }
    guard result.output.finishReason != .cancelled else { throw interruption }
    return true
  }

  /// What events are told by: tokens that came together by one part.
  private func buffers(
    _ events: [BatchEvent], _ choice: inout Choice, _ usage: inout Usage
  ) -> [ByteBuffer] {
    var buffers: [ByteBuffer] = []
    var delta = ChoiceOutput.Delta()
    for event in events {
      switch event {
      case .prompt(let scores):
        choice.promptScores = scores
        buffers += plan.shape.opening(&choice).map { [chunk($0, nil)] } ?? []
      case .token(let token): delta += choice.output.take(token)
      case .finished(let result):
        let reason = result.output.finishReason
        // What was cut may not look like a whole answer.
        guard reason != .cancelled else { break }
        usage.add(choice, result)
        delta += choice.output.finish(reason)
        let count = (result.output.tokens.count, result.output.statistics.targetPasses)
        if !delta.isEmpty { buffers.append(part(delta, &choice, count)) }
        let ending = plan.shape.ending(choice, reason: choice.output.word(reason))
        return buffers + [
          chunk(
            ending,
            plan.tellsOrigins ? Origins.json([], tokens: count.0, rounds: count.1) : nil)
        ]
      }
    }
    if !delta.isEmpty {
      buffers.append(part(delta, &choice, (choice.output.tokens, choice.output.rounds)))
    }
    return buffers
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
    var more: [(String, JSONValue)] = []
    if plan.includeUsage { more.append(("usage", .null)) }
    if let origins { more.append(("speculate", origins)) }
    return ServerSentEvent.data(plan.head.line(plan.shape.kinds.part, choice: choice, more))
  }
}
