import Files
import Foundation
import Server
import Speculate
import Testing

/// Figures for Prometheus, and the page for people.
@Suite struct MetricsTests {
  /// The value of a metric in Prometheus' text.
  private func value(_ name: String, _ text: String) -> Double? {
    text.split(separator: "\n").first { $0.hasPrefix(name + "{") }
      .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
  }

  @Test func metricsCountWhatWasAnswered() async throws {
    try await withServer(TinyService.make()) { server in
      let answer = try server.complete(#""prompt":"Hello","temperature":0,"max_tokens":20"#)
      let usage = try #require(answer.json?["usage"])
      try server.wait { $0.generator.metrics.finished.values.reduce(0, +) == 1 }
      let metrics = try server.ask("GET", "/metrics")
      #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      for prefix in ["vllm:", "speculate:"] {
        #expect(
          value(prefix + "generation_tokens_total", metrics.text)
            == usage["completion_tokens"]?.number)
        #expect(
          value(prefix + "prompt_tokens_total", metrics.text) == usage["prompt_tokens"]?.number)
        for name in [
          "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc",
          "request_success_total", "spec_decode_num_drafts_total",
          "spec_decode_num_draft_tokens_total", "spec_decode_num_accepted_tokens_total",
          "prefix_cache_queries_total", "prefix_cache_hits_total",
        ] { #expect(value(prefix + name, metrics.text) != nil, "\(name)") }
        for name in [
          "time_to_first_token_seconds", "inter_token_latency_seconds",
          "e2e_request_latency_seconds", "request_queue_time_seconds",
        ] {
          #expect((value("\(prefix)\(name)_count", metrics.text) ?? 0) > 0, "\(name)")
          #expect(metrics.text.contains("\(prefix)\(name)_bucket{model_name=\"tiny\",le=\"+Inf\"}"))
        }
      }
      // Every line is a comment, or a name with labels and a number.
      for line in metrics.text.split(separator: "\n") where !line.hasPrefix("#") {
        #expect(line.wholeMatch(of: /[a-z_:0-9]+\{[^}]*\} -?[0-9.e+-]+/) != nil, "\(line)")
      }
    }
  }

  @Test func thePageNeedsNothingBesideIt() async throws {
    try await withServer(TinyService.make()) { server in
      let page = try server.ask("GET", "/")
      #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
      let policy = try #require(page.headers["content-security-policy"])
      #expect(policy.hasPrefix("default-src 'none'"))
      let nonce = try #require(policy.firstMatch(of: /nonce-([a-z0-9]+)/)).1
      #expect(page.text.contains("<script nonce=\"\(nonce)\">"))
      for outside in ["http://", "https://", "src=", "@import", "url("] {
        #expect(!page.text.contains(outside), "\(outside)")
      }
      let other = try server.ask("GET", "/")
      #expect(other.text != page.text)
    }
  }
}
