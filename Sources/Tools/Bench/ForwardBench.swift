import Files
import Tensors
import Verifier

/// The time of a target pass as a function of its rows, at one context.
struct ForwardBench {
  /// One measurement of one width, and of a single row just before and after it.
  struct Reading {
    /// Seconds of a pass over the rows.
    var seconds: Double
    /// Seconds of a pass over one row, the mean of before and after.
    var single: Double
    var ratio: Double { seconds / single }
  }

  private let runner: CausalRunner
  private let cache: KeyValueCache
  private let promptCache: KeyValueCache?
  private let tokens: [Token]
  private let behindContext: KeyValueCache.Checkpoint
  private let promptLength: Int

  /// Fills a cache with `context` positions.
  ///
  /// - Parameter prompt: The length of the prompts to time, if any.
  /// - Throws: `SpeculateError` when the model's context has no room for them and the rows.
  init(
    model: CausalModel, workers: Workers, cacheFormat: KeyValueFormat, context: Int, widest: Int,
    prompt: Int? = nil
  ) throws {
    runner = CausalRunner(
      model: model, workers: workers, maximumRows: max(widest, 64), cacheFormat: cacheFormat)
    // What the text is has no influence on the time; only its length has.
    tokens = (0..<max(widest, context, prompt ?? 0)).map {
      Token($0 * 31 % model.configuration.vocabularySize)
    }
    promptLength = prompt ?? 0
    cache = try runner.makeCache(capacity: context + widest)
    promptCache = try prompt.map { [runner] in try runner.makeCache(capacity: $0) }
    runner.read(tokens[..<context], into: cache, logits: .last)
    behindContext = cache.checkpoint()
  }

  /// Times passes over `rows` rows, with logits for all of them.
  ///
  /// - Parameters:
  ///   - passes: How many passes one measurement repeats.
  ///   - shouldStop: Asked between passes.
  /// - Returns: `nil` where it was stopped.
  func measure(rows: Int, passes: Int, shouldStop: () -> Bool) -> Reading? {
    guard let before = seconds(rows: 1, passes: passes, shouldStop: shouldStop) else { return nil }
    guard rows > 1 else { return Reading(seconds: before, single: before) }
    guard let wide = seconds(rows: rows, passes: passes, shouldStop: shouldStop),
      let after = seconds(rows: 1, passes: passes, shouldStop: shouldStop)
    else { return nil }
    return Reading(seconds: wide, single: (before + after) / 2)
  }

  /// The seconds of a prompt's passes, with logits for its last row.
  func prefill() -> Double? {
    guard let promptCache else { return nil }
    let start = Stopwatch.now
    promptCache.reset()
    runner.read(tokens[..<promptLength], into: promptCache, logits: .last)
    return Stopwatch.now - start
  }

  /// How many passes of one row take about `seconds`; at least one. Runs two passes to find out.
  func passes(in seconds: Double) -> Int {
    func single() -> Double { self.seconds(rows: 1, passes: 1) { false } ?? 0 }
    _ = single()
    return max(1, Int(seconds / max(single(), 1e-9)))
  }

  private func seconds(rows: Int, passes: Int, shouldStop: () -> Bool) -> Double? {
    let start = Stopwatch.now
    for _ in 0..<passes {
      if shouldStop() { return nil }
      tokens[..<rows].withUnsafeBufferPointer {
        runner.forward($0, cache: cache, logits: .all)
      }
      cache.rewind(to: behindContext)
    }
    return (Stopwatch.now - start) / Double(passes)
  }
}
