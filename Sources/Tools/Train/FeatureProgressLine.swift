import Training

/// Stores features under a progress line.
enum FeatureProgressLine {
  /// Runs `make` and shows what it reports.
  static func show(
    _ make: (_ report: (FeatureProgress) -> Void) throws -> Bool
  ) rethrows -> Bool {
    let line = ProgressLine("features", unit: "tokens")
    var last: FeatureProgress?
    func detail(_ progress: FeatureProgress) -> String {
      "\(progress.sequences)/\(progress.wanted) responses"
    }
    let made = try make { progress in
      last = progress
      line.update(progress.tokens, detail: detail(progress))
    }
    if let last { line.finish(last.tokens, detail: detail(last)) }
    return made
  }
}
