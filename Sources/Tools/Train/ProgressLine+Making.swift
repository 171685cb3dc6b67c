import Files
import Training

/// Progress lines of what is made before a training.
extension ProgressLine {
  /// Runs `make`, which stores features, and shows what it reports.
  static func features(
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

  /// Seconds that answers still take, where several are made at a time.
  ///
  /// Those that are being made are half done on average; without them the first answers of a batch would
  /// stand for the time of all.
  ///
  /// - Parameters:
  ///   - done: Answers made in `elapsed` seconds.
  ///   - remaining: Answers to make, those that are being made included.
  package static func secondsLeft(
    elapsed: Double, done: Int, remaining: Int, batch: Int
  ) -> Double {
    let underWay = Double(min(batch, remaining)) / 2
    return elapsed * (Double(remaining) - underWay) / max(Double(done) + underWay, 0.5)
  }

  /// Runs `make`, which lets a target answer, and shows what it reports.
  ///
  /// - Parameter batch: Answers made at a time.
  static func responses(
    batch: Int, label: String = "responses",
    _ make: (_ report: (ResponseProgress) -> Void) throws -> [Response]?
  ) rethrows -> [Response]? {
    let line = ProgressLine(label, unit: "tokens")
    let start = Stopwatch.now
    var (last, first) = (ResponseProgress(responses: 0, wanted: 0, tokens: 0), Int?.none)
    func detail() -> String {
      if let writing = last.writing {
        return "\(last.responses)/\(last.wanted) responses | \(writing.written)/\(writing.wanted) "
          + "prompts written"
      }
      let left = secondsLeft(
        elapsed: Stopwatch.now - start, done: last.responses - (first ?? 0),
        remaining: last.wanted - last.responses, batch: batch)
      return "\(last.responses)/\(last.wanted) responses | \(Figures.duration(left)) left"
    }
    let made = try make { progress in
      if first == nil, progress.writing == nil { first = progress.responses - 1 }
      last = progress
      line.update(progress.tokens, detail: detail())
    }
    if last.tokens > 0 { line.finish(last.tokens, detail: detail()) }
    if last.tooLongChats > 0 {
      let count = last.tooLongChats
      Output.note(
        "\(Figures.count(count)) \(count == 1 ? "chat is" : "chats are") longer than "
          + "--longest-prompt: left out\n")
    }
    if made != nil, let prompts = last.prompts { Output.note(summary(of: prompts) + "\n") }
    return made
  }

  /// How many prompts were kept that a target wrote, and why the others weren't.
  private static func summary(of prompts: PromptCounts) -> String {
    let dropped = PromptFlaw.allCases.filter { prompts[$0] > 0 }.map {
      "\(Figures.count(prompts[$0])) \($0.description)"
    }
    return "\(Figures.count(prompts.kept)) of \(Figures.count(prompts.written)) prompts that the "
      + "target wrote are kept" + (dropped.isEmpty ? "" : "; \(dropped.joined(separator: ", "))")
  }

  /// Makes or reads a recipe's responses and trajectories.
  ///
  /// - Throws: `Interruption.exitCode` after Ctrl-C.
  static func trajectories(of recipe: ForceRecipe, batch: Int) throws -> [Int: [Trajectory]] {
    let responses = try responses(batch: batch) { report in
      try recipe.respond(shouldStop: { Interruption.requested }, report: report)
    }
    guard let responses else { throw Interruption.resumable() }
    var (line, last, first) = (ProgressLine?.none, TrajectoryProgress?.none, 0)
    func detail(_ progress: TrajectoryProgress) -> String {
      "blocks of \(progress.blockSize) | \(Figures.count(progress.passes)) passes"
    }
    func finish() {
      if let last { line?.finish(last.trajectories - first, detail: detail(last)) }
    }
    let made = try recipe.iterate(responses, shouldStop: { Interruption.requested }) { progress in
      if last?.blockSize != progress.blockSize {
        finish()
        first = progress.trajectories - 1
        line = ProgressLine("trajectories", unit: "responses", total: progress.wanted - first)
      }
      last = progress
      line?.update(progress.trajectories - first, detail: detail(progress))
    }
    finish()
    guard let made else { throw Interruption.resumable() }
    return made
  }
}
