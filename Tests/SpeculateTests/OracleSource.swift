import Files
import Speculate
import TestSupport

/// A test's draft source: it knows what comes, and is wrong on purpose with a given chance.
///
/// Every acceptance length occurs, which a random drafter would not bring about. It also watches
/// the decoder: features must arrive for every committed position but the anchor, before a draft.
final class OracleSource: DraftSource {
  enum Quality {
    /// Each draft is right with this chance.
    case chance(Double)
    /// Block `i` starts with `start + i` right drafts, modulo what fits, and one wrong one.
    case cycling(start: Int)
  }

  let taps: [Int]
  let maximumDrafts: Int
  private let future: [Token]
  private let quality: Quality
  private let vocabulary: Int
  private let featureWidth: Int
  private var random: RandomNumbers
  private var blocks = 0
  /// The features that were committed: [positions][featureWidth].
  private(set) var features: [Float] = []
  private(set) var positions = 0
  /// What went wrong, if anything.
  private(set) var complaints: [String] = []

  /// - Parameters:
  ///   - future: prompt and plain output.
  ///   - quality: which drafts are right.
  ///   - featureWidth: floats of one position's features.
  init(
    future: [Token], quality: Quality, maximumDrafts: Int, vocabulary: Int, seed: UInt64 = 1,
    taps: [Int] = [], featureWidth: Int = 0
  ) {
    self.future = future
    self.quality = quality
    self.maximumDrafts = maximumDrafts
    self.vocabulary = vocabulary
    self.taps = taps
    self.featureWidth = featureWidth
    random = RandomNumbers(seed: seed)
  }

  func commit(features: UnsafePointer<Float>, rows: Int) {
    self.features += UnsafeBufferPointer(start: features, count: rows * featureWidth)
    positions += rows
  }

  func rewind(to count: Int) {
    guard count < positions else { return }
    positions = count
    features.removeLast(features.count - count * featureWidth)
  }

  func enter(_ request: DraftRequest) {
    let (tokens, count) = (request.tokens, request.count)
    if positions != tokens.count - 1 {
      complaints.append("\(positions) positions committed, \(tokens.count) tokens")
    }
    if tokens != Array(future.prefix(tokens.count)) { complaints.append("another text") }
    if count < 1 || count > maximumDrafts { complaints.append("\(count) drafts asked for") }
    for place in 0..<count {
      let index = tokens.count + place
      let isRight =
        switch quality {
        case .chance(let chance): Double.random(in: 0..<1, using: &random) < chance
        case .cycling(let start): place != (start + blocks) % (count + 1)
        }
      let right = index < future.count ? future[index] : 0
      request.block.tokens.append(isRight ? right : (right + 1) % Token(vocabulary))
    }
    blocks += 1
    request.block.passes = 1
  }

  func runPasses() {}
}
