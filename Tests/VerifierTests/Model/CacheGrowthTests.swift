import Files
import Tensors
import TestSupport
import Testing
import Verifier

/// Caches that take memory as texts grow.
@Suite struct CacheGrowthTests {
  static let configuration = {
    var configuration = TinyModels.grouped
    configuration.maximumContext = 4096
    return configuration
  }()

  static let model = CausalModel(random: configuration, seed: 1)

  /// However often a cache was moved, and whether or not others reach further, rows are those of a cache that
  /// had all its memory from the start.
  @Test(arguments: [KeyValueFormat.f32, .bf16], [1, 2])
  func rowsAreThoseOfAWholeCache(format: KeyValueFormat, threads: Int) throws {
    var random = RandomNumbers(seed: 8)
    let text = (0..<1400).map { _ in Token.random(in: 0..<60, using: &random) }
    let workers = Workers(count: threads)
    func logits(room: Int?, pieces: [Int]) throws -> [[Float]] {
      let runner = CausalRunner(
        model: Self.model, workers: workers, maximumRows: 64, cacheFormat: format)
      let other = try runner.makeCache(capacity: 2000)
      let cache = try runner.makeCache(capacity: 1500, room: room)
      #expect(other.room == 2000 && (room == nil ? cache.room == 1504 : cache.room < 100))
      var rows: [[Float]] = []
      var index = 0
      while cache.count < text.count {
        let start = cache.count
        let end = min(start + pieces[index % pieces.count], text.count)
        index += 1
        try cache.reserve(end)
        runner.read(text[start..<end], into: cache, logits: .last)
        rows.append(
          Array(UnsafeBufferPointer(start: runner.logits, count: TinyModels.vocabulary)))
        // A step back and forth, as a rejection makes it.
        if end < text.count, index % 5 == 0 { cache.rewind(to: end - min(7, end - start)) }
      }
      return rows
    }
    let whole = try logits(room: nil, pieces: [64, 1, 33])
    #expect(try logits(room: 1, pieces: [64, 1, 33]) == whole)
  }

  /// What can't be had is an error before anything is touched, and the cache is what it was.
  @Test func whatDoesNotFitIsRefused() throws {
    var huge = Self.configuration
    huge.maximumContext = 1 << 40
    let model = CausalModel(random: huge, seed: 1)
    let runner = CausalRunner(model: model, workers: Workers(count: 1), maximumRows: 64)
    let message =
      "there is no memory for 1125899906842624 bytes of keys and values of 1099511627776 tokens:"
      + " generate fewer tokens, shorten the prompt, or decode fewer sequences at once"
    #expect(throws: SpeculateError(message)) { try runner.makeCache(capacity: 1 << 40) }
    let cache = try runner.makeCache(capacity: 1 << 40, room: 16)
    runner.read([1, 2, 3], into: cache)
    #expect(throws: SpeculateError(message)) { try cache.reserve(1 << 40) }
    #expect(cache.count == 3 && cache.room == 16)
    runner.read([4, 5], into: cache)
    #expect(cache.count == 5)
  }
}
