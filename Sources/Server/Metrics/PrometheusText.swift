import Speculate

/// Metrics in Prometheus' text format, version 0.0.4.
///
/// Each stands there under vLLM's name and under one of our own prefix, so that dashboards made for vLLM work.
struct PrometheusText {
  private(set) var text = ""
  /// What all have in common, `model_name="…"`.
  private let labels: String
  private static let prefixes = ["vllm:", "speculate:"]

  init(model: String) { labels = "model_name=\"\(Self.escaped(model))\"" }

  mutating func gauge(_ name: String, _ help: String, _ value: Double) {
    let labels = labels
    family(name, "gauge", help) { "\($0){\(labels)} \(Self.spelled(value))\n" }
  }

  mutating func counter(_ name: String, _ help: String, _ value: Int) {
    let labels = labels
    family(name, "counter", help) { "\($0){\(labels)} \(value)\n" }
  }

  /// A counter with a label of its own, in the order given.
  mutating func counter(
    _ name: String, _ help: String, label: String, _ values: [(String, Int)]
  ) {
    counter(name, help, label: label, values.map { ($0.0, Double($0.1)) })
  }

  mutating func counter(
    _ name: String, _ help: String, label: String, _ values: [(String, Double)]
  ) {
    let labels = labels
    family(name, "counter", help) { full in
      values.map {
        "\(full){\(labels),\(label)=\"\(Self.escaped($0.0))\"} \(Self.spelled($0.1))\n"
      }.joined()
    }
  }

  mutating func histogram(_ name: String, _ help: String, _ histogram: LatencyHistogram) {
    let labels = labels
    family(name, "histogram", help) { full in
      var lines = ""
      var count = 0
      for (bound, own) in zip(LatencyHistogram.bounds, histogram.counts) {
        count += own
        lines += "\(full)_bucket{\(labels),le=\"\(Self.spelled(bound))\"} \(count)\n"
      }
      lines += "\(full)_bucket{\(labels),le=\"+Inf\"} \(histogram.count)\n"
      lines += "\(full)_sum{\(labels)} \(Self.spelled(histogram.sum))\n"
      return lines + "\(full)_count{\(labels)} \(histogram.count)\n"
    }
  }

  private mutating func family(
    _ name: String, _ type: String, _ help: String, _ lines: (_ full: String) -> String
  ) {
    for prefix in Self.prefixes {
      text += "# HELP \(prefix)\(name) \(help)\n# TYPE \(prefix)\(name) \(type)\n"
      text += lines(prefix + name)
    }
  }

  private static func spelled(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
  }

  private static func escaped(_ label: String) -> String {
    label.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
