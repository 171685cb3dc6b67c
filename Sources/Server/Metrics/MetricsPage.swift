import Speculate

/// What `/metrics` answers. It takes a copy of the numbers, and waits for nothing.
enum MetricsPage {
  static func text(_ metrics: BatchMetrics, model: String) -> String {
    var page = PrometheusText(model: model)
    page.gauge(
      "num_requests_running", "Requests that take part in rounds.", Double(metrics.running))
    page.gauge("num_requests_waiting", "Requests that wait for a place.", Double(metrics.waiting))
    page.gauge(
      "num_requests_paused", "Requests whose readers are slow.", Double(metrics.paused))
    page.gauge(
      "kv_cache_usage_perc", "Share of the memory for keys and values in use, 0 to 1.",
      metrics.keyValueUsage)
    page.gauge(
      "prefix_cache_bytes", "Bytes of keys and values that the prefix cache holds.",
      Double(metrics.prefixCacheBytes))
    page.counter("prompt_tokens_total", "Tokens of prompts.", metrics.promptTokens)
    page.counter("generation_tokens_total", "Tokens of outputs.", metrics.generationTokens)
    page.counter("num_preemptions_total", "Sequences that gave memory back.", metrics.preemptions)
    page.counter("num_rounds_total", "Passes of the target.", metrics.rounds)
    page.counter(
      "num_draft_rounds_total", "Of these, with a pass of the drafter.", metrics.draftRounds)
    let seconds = metrics.roundSeconds
    page.counter(
      "round_seconds_total", "Seconds of rounds by part, and between them.", label: "part",
      [
        ("draft", seconds.draft), ("verify", seconds.verify), ("sampling", seconds.sampling),
        ("other", seconds.other), ("between", metrics.betweenSeconds),
      ])
    page.counter(
      "request_success_total", "Requests that ended, by why.", label: "finished_reason",
      reasons(metrics))
    page.counter("request_failed_total", "Requests that ended by an error.", metrics.failed)
    page.counter("prefix_cache_queries_total", "Prompt tokens looked up.", metrics.prefixQueries)
    page.counter("prefix_cache_hits_total", "Prompt tokens found.", metrics.prefixHits)
    page.counter("spec_decode_num_drafts_total", "Verified drafts, a round each.", metrics.drafts)
    page.counter(
      "spec_decode_num_draft_tokens_total", "Draft tokens that were verified.",
      metrics.draftTokens)
    page.counter(
      "spec_decode_num_accepted_tokens_total", "Draft tokens that the target chose too.",
      metrics.acceptedTokens)
    page.counter(
      "spec_decode_num_accepted_tokens_per_pos_total", "The same by place in the block.",
      label: "position",
      metrics.acceptedByPlace.enumerated().map { (String($0), $1) })
    page.histogram(
      "time_to_first_token_seconds", "Seconds to the first token.", metrics.firstTokenSeconds)
    page.histogram(
      "inter_token_latency_seconds", "Seconds between tokens.", metrics.interTokenSeconds)
    page.histogram(
      "e2e_request_latency_seconds", "Seconds to the end of a request.", metrics.requestSeconds)
    page.histogram(
      "request_queue_time_seconds", "Seconds to the first round.", metrics.queueSeconds)
    return page.text
  }

  /// OpenAI's words for why a request ended, and how often.
  private static func reasons(_ metrics: BatchMetrics) -> [(String, Int)] {
    var counts = ["abort": 0, "length": 0, "stop": 0]
    for (reason, count) in metrics.finished { counts[reason.word, default: 0] += count }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

extension FinishReason {
  /// OpenAI's word.
  var word: String {
    switch self {
    case .endToken, .stopString: "stop"
    case .length, .context: "length"
    case .cancelled: "abort"
    }
  }
}
