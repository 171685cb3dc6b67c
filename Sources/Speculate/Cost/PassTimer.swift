import Files
import Tensors
import Verifier

/// Times passes of a target and of what drafts for it, on throw-away caches.
struct PassTimer {
  private let runner: CausalRunner
  private let source: (any DraftSource)?
  private let cache: KeyValueCache
  private let tokens: [Token]
  private let request: DraftRequest
  private let start: KeyValueCache.Checkpoint

  let widest: Int
  let position: Int

  /// Drafts of a round that cost no pass, at most: how wide passes are measured without a source.
  private static let freeDrafts = 31

  /// Fills a context, which also pages weights in.
  ///
  /// - Parameters:
  ///   - runner: the target, not in use.
  ///   - source: what drafts, not in use; ``finish()`` rewinds it.
  ///   - context: positions in the cache while measuring; pass times grow with them.
  ///   - rows: of passes that several sequences share; `nil` for those of one.
  /// - Throws: what making a cache throws.
  init(
    runner: CausalRunner, source: (any DraftSource)?, context: Int, rows: Int? = nil
  ) throws {
    self.runner = runner
    self.source = source
    let vocabulary = runner.model.configuration.vocabularySize
    // One position at least is in the cache, however short the model's context.
    let room = max(1, runner.model.configuration.maximumContext - 1)
    let usual = max(source?.maximumDrafts ?? 0, Self.freeDrafts) + 1
    widest = min(runner.maximumRows, max(usual, rows ?? 0), room)
    position = max(1, min(context, room + 1 - widest))
    cache = try runner.makeCache(capacity: position + widest)
    tokens = (0..<position + widest).map { Token($0 * 31 % vocabulary) }
    request = DraftRequest(
      chooser: DraftChooser(
        .greedy, choice: .argmax, context: TokenPresence(vocabulary: vocabulary)))
    source?.rewind(to: 0)
    try source?.reserve(position + widest)
    runner.read(tokens[..<position], into: cache) { piece in
      source?.commit(features: runner.taps, rows: piece.count)
      return true
    }
    start = cache.checkpoint()
  }

  /// Leaves the source as it was before its first sequence.
  func finish() { source?.rewind(to: 0) }

  /// The median of a few target passes of a width, with the choice of a token for each row.
  func verify(_ width: Int, _ timer: inout BudgetTimer) -> Double {
    let vocabulary = runner.model.configuration.vocabularySize
    return timer.measure {
      tokens[..<width].withUnsafeBufferPointer {
        runner.forward($0, cache: cache, logits: .all)
      }
      for row in 0..<width {
        _ = Argmax.index(runner.logits + row * vocabulary, count: vocabulary)
      }
      cache.rewind(to: start)
    }
  }

  /// The median of a few blocks of `count` drafts; `nil` if the source can't draft so many, or the
  /// context has no room for them.
  func draft(_ count: Int, _ timer: inout BudgetTimer) -> Double? {
    guard let source, count <= source.maximumDrafts, count <= widest else { return nil }
    // The context of a usual round is projected with the block.
    let usual = min(4, position)
    return timer.measure {
      source.rewind(to: position - usual)
      source.commit(features: runner.taps, rows: usual)
      request.reset(after: Array(tokens[...position]), count: count)
      source.draft(request)
    }
  }
}

/// Times short pieces of work within a budget of seconds.
struct BudgetTimer {
  private let budget: Double
  private var spent = 0.0

  private static let runs = 9
  /// The share of the budget that one piece may use before its last run.
  private static let share = 1.0 / 16

  init(budget: Double) { self.budget = budget }

  var isSpent: Bool { spent >= budget }

  /// Runs the work a few times, once at least, and returns the median of the seconds of one run.
  mutating func measure(_ body: () -> Void) -> Double {
    var times: [Double] = []
    var used = 0.0
    repeat {
      var watch = Stopwatch()
      body()
      let seconds = max(watch.lap(), 1e-9)
      times.append(seconds)
      used += seconds
    } while times.count < Self.runs && used < budget * Self.share
    spent += used
    times.sort()
    return times[(times.count - 1) / 2]
  }
}
