import Files
import Foundation
import Speculate

/// Has answers generated, and makes one body of them.
struct AnswerRunner: Sendable {
  let service: ModelService

  /// A finished answer.
  private struct Finished: Sendable {
    var choice: Choice
    var delta: ChoiceOutput.Delta
    var result: BatchResult
  }

  /// The whole answer, when it is complete. Cancelling the task ends the generation.
  ///
  /// - Throws: ``APIError`` when the model takes no more, or a request can't be decoded.
  func whole(_ plan: AnswerPlan) async throws -> (body: JSONValue, usage: Usage) {
    let finished = try await finished(plan)
    var usage = Usage()
    let choices = finished.map { finished -> JSONValue in
      usage.add(finished.choice, finished.result)
      var choice = finished.choice
      return plan.shape.whole(
        &choice, finished.delta,
        reason: finished.choice.output.word(finished.result.output.finishReason))
    }
    var more = ["usage": usage.json]
    if plan.tellsOrigins {
      more["speculate"] = .object([
        "choices": .array(finished.map { Origins.json($0.delta.origins, $0.result) })
      ])
    }
    return (plan.head.json(plan.shape.kinds.whole, choices: choices, more), usage)
  }

  /// All answers in order. As many as fit take part in rounds at once; the others follow.
  private func finished(_ plan: AnswerPlan) async throws -> [Finished] {
    try await withThrowingTaskGroup(of: (Int, Finished).self) { group in
      var finished = [Finished?](repeating: nil, count: plan.choices.count)
      var next = 0
      func start() {
        guard next < plan.choices.count else { return }
        let (place, choice) = (next, plan.choices[next])
        group.addTask {
          (place, try await run(choice, waits: place > 0, tellsOrigins: plan.tellsOrigins))
        }
        next += 1
      }
      for _ in 0..<service.generator.settings.maximumSequences { start() }
      while let (place, own) = try await group.next() {
        finished[place] = own
        start()
      }
      return finished.compactMap(\.self)
    }
  }

  /// - Parameter waits: whether to wait for a place in the queue: answers behind the first of a request, which
  ///   was taken as a whole.
  private func run(
    _ choice: Choice, waits: Bool, tellsOrigins: Bool
  ) async throws -> Finished {
    var choice = choice
    var delta = ChoiceOutput.Delta()
    let stream = try await submit(choice.request, waits: waits)
    var iterator = stream.makeAsyncIterator()
    do {
      while case let events = try await iterator.nextTogether(), !events.isEmpty {
        for event in events {
          switch event {
          case .prompt(let scores): choice.promptScores = scores
          case .token(let token):
            var own = choice.output.take(token)
            if !tellsOrigins { own.origins = [] }
            delta += own
          case .finished(let result):
            guard result.output.finishReason != .cancelled else { throw CancellationError() }
            delta += choice.output.finish(result.output.finishReason)
            return Finished(choice: choice, delta: delta, result: result)
          }
        }
      }
    } catch let error as SpeculateError {
      throw APIError(500, error.description, code: "internal_error")
    }
    throw CancellationError()
  }

  private func submit(_ request: BatchRequest, waits: Bool) async throws -> BatchStream {
    while true {
      do {
        return try service.submit(request)
      } catch let error as APIError {
        guard waits, error.status == 429 else { throw error }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension ModelService {
  /// Hands a request to the generator.
  ///
  /// - Throws: ``APIError``: 429 when too many wait, 503 when the server leaves, 400 for what can't be decoded.
  func submit(_ request: BatchRequest) throws -> BatchStream {
    do {
      return try generator.submit(request)
    } catch {
      switch error {
      case .queueFull:
        throw APIError(
          429, "\(error)", code: "rate_limit_exceeded", retryAfter: retryAfter)
      case .draining:
        throw APIError.leaving
      case .invalid(let reason): throw APIError(400, reason.description, code: "invalid_value")
      }
    }
  }

  /// When a place in the queue is likely to be free: the mean time of a request, shared by those that run.
  private var retryAfter: Int {
    let metrics = generator.metrics
    let mean = metrics.requestSeconds.sum / Double(max(1, metrics.requestSeconds.count))
    return Int(min(60, max(1, (mean / Double(max(1, metrics.running))).rounded(.up))))
  }
}

/// Where the parts of a text came from: this server's own addition to answers that ask for it.
enum Origins {
  /// - Parameter tokens: tokens so far and the target passes that they took.
  static func json(
    _ parts: [(text: String, origin: DraftOrigin?)], tokens: Int, rounds: Int
  ) -> JSONValue {
    .object([
      "origins": .array(
        parts.map {
          .object(["text": .string($0.text), "origin": .string($0.origin?.rawValue ?? "target")])
        }), "tokens": .integer(tokens), "rounds": .integer(rounds),
    ])
  }

  static func json(
    _ parts: [(text: String, origin: DraftOrigin?)], _ result: BatchResult
  ) -> JSONValue {
    json(
      parts, tokens: result.output.tokens.count, rounds: result.output.statistics.targetPasses)
  }
}
