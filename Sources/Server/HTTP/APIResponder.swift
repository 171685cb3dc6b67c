import Files
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Speculate

/// Answers every request: the one place where a path becomes an endpoint, and an error a status.
struct APIResponder: HTTPResponder {
  let endpoints: Endpoints
  let replies: OpenReplies
  let access: AccessRules
  let hosts: HostRules
  let limits: ServerLimits
  /// When the server started, in seconds since 1970.
  let started: Int
  /// Whether the log tells what was asked.
  let logsPrompts: Bool
  let logger: Logger

  func respond(to request: Request, context: ServerContext) async throws -> Response {
    let log = RequestLog(request, logger)
    let isPreflight =
      request.method == .options && request.headers[.accessControlRequestMethod] != nil
      && (try? hosts.check(request.head.authority)) != nil
    var response =
      isPreflight
      ? Response(status: .noContent)
      : await replies.whileOpen { await answer(request, context, log) }
    response.headers.append(
      contentsOf: access.crossOrigin(request.headers, isPreflight: isPreflight))
    if let name = HTTPField.Name("X-Request-Id") { response.headers[name] = log.id }
    response.headers[.cacheControl] = "no-store"
    return request.method == .head ? response.createHeadResponse() : response
  }

  /// The answer, which may be an error.
  private func answer(
    _ request: Request, _ context: ServerContext, _ log: RequestLog
  ) async -> Response {
    var hasRead = false
    do {
      try hosts.check(request.head.authority)
      let route = try Route(request.uri.path)
      try route.check(request.method)
      if route.needsKey { try access.checkKey(request.headers) }
      if let response = try get(route) {
        log.answered(response.status.code)
        return response
      }
      // What can't be answered anyway isn't read.
      _ = try endpoints.state.ready()
      let body = try await BodyReader(limit: limits.body, patience: limits.bodySeconds)
        .read(request)
      hasRead = true
      return try await post(route, RequestFields(body: body), context, log)
    } catch is CancellationError {
      let isGone = await context.watch()?.isGone ?? true
      log.answered(isGone ? 499 : 503, ending: isGone ? "the client went away" : nil)
      // Whoever has gone reads neither.
      return Reply.error(.leaving)
    } catch {
      let error = APIError.refused(error)
      log.answered(error.status, error: error)
      var response = Reply.error(error)
      if error.status == 405 {
        response.headers[.allow] = (try? Route(request.uri.path))?.allowed
      }
      if !hasRead, Self.hasBody(request.headers) {
        // The rest of the body may still be on its way; it isn't waited for.
        response.headers[.connection] = "close"
        context.closeSoon()
      }
      return response
    }
  }

  private static func hasBody(_ headers: HTTPFields) -> Bool {
    headers[.transferEncoding] != nil || headers[.contentLength].map { $0 != "0" } ?? false
  }

  private func get(_ route: Route) throws -> Response? {
    switch route {
    case .page: endpoints.page()
    case .health: endpoints.health()
    case .version: endpoints.versions()
    case .metrics: endpoints.metrics()
    case .models: try endpoints.models(started)
    case .tokenizer: try endpoints.tokenizer()
    case .chat, .completions, .tokenize, .detokenize: nil
    }
  }

  private func post(
    _ route: Route, _ fields: RequestFields, _ context: ServerContext, _ log: RequestLog
  ) async throws -> Response {
    let plan: AnswerPlan
    switch route {
    case .tokenize, .detokenize:
      let response =
        route == .tokenize ? try endpoints.tokenize(fields) : try endpoints.detokenize(fields)
      log.answered(response.status.code)
      return response
    case .chat: plan = try endpoints.plan(chat: fields)
    default: plan = try endpoints.plan(completion: fields)
    }
    if logsPrompts { log.asked(plan.prompts) }
    return plan.stream
      ? try await streamed(plan, context, log) : try await whole(plan, context, log)
  }

  /// A whole answer. Its generation ends when the client goes away, or when its time is over.
  private func whole(
    _ plan: AnswerPlan, _ context: ServerContext, _ log: RequestLog
  ) async throws -> Response {
    let runner = AnswerRunner(service: try endpoints.state.ready())
    guard let watch = await context.watch() else { throw CancellationError() }
    let deadline = ContinuousClock.now + .seconds(limits.answerSeconds)
    let task = Task {
      try await withThrowingTaskGroup(of: (body: JSONValue, usage: Usage).self) { group in
        group.addTask { try await runner.whole(plan) }
        group.addTask {
          try await Task.sleep(until: deadline)
          throw APIError.tookTooLong
        }
        defer { group.cancelAll() }
        guard let answer = try await group.next() else { throw CancellationError() }
        // Busy threads wake a sleeper late.
        guard ContinuousClock.now < deadline else { throw APIError.tookTooLong }
        return answer
      }
    }
    let answer = try await watch.whileConnected {
      try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    } orWhenGone: {
      task.cancel()
    }
    log.answered(200, usage: answer.usage)
    return Reply.json(answer.body)
  }

  /// A stream of events.
  private func streamed(
    _ plan: AnswerPlan, _ context: ServerContext, _ log: RequestLog
  ) async throws -> Response {
    let deadline = ContinuousClock.now + .seconds(limits.answerSeconds)
    let stream = try AnswerStream(plan, endpoints.state.ready(), deadline: deadline)
    guard let watch = await context.watch() else { throw CancellationError() }
    let body = ResponseBody { writer in
      let timer = Task {
        try await Task.sleep(until: deadline)
        stream.cancel()
        // A reader that takes nothing is not told so.
        try await Task.sleep(for: .seconds(5))
        context.channel.close(promise: nil)
      }
      defer { timer.cancel() }
      do {
        var own = writer
        try await replies.whileOpen {
          let usage = try await watch.whileConnected {
            try await stream.write(to: &own)
          } orWhenGone: {
            stream.cancel()
          }
          log.answered(200, usage: usage, ending: watch.isGone ? "the client went away" : nil)
          try await own.finish(nil)
        }
      } catch {
        stream.cancel()
        log.answered(499, ending: "the client went away")
        throw error
      }
    }
    var response = Response(status: .ok, body: body)
    response.headers[.contentType] = "text/event-stream; charset=utf-8"
    return response
  }
}
