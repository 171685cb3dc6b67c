package import Files
import Foundation
import Tensors

/// Chooses draft tokens from a drafter's logits, for one sequence.
///
/// What is drafted changes how many drafts match, never the output, so this may look at anything.
package struct DraftChooser {
  /// Keeps the most probable tokens of each place, for an observer.
  var recorder: CandidateRecorder?
  /// Tells where the text's tokens stand among the choices of each place, for analysis.
  var choices: ChoiceRecorder?
  /// Keeps what each place was drawn from, for verification that weighs drafts against it.
  var distributions: DraftDistributions?

  private var chooser: TokenChooser
  private let choice: DraftChoice
  private let context: TokenPresence
  /// The distinct drafts of the block so far that the text doesn't hold.
  private var drafts: [Token] = []
  private var start = 0  // the position of the block's first draft
  /// Where the text is in the target's grammar in front of each draft, as far as those before it are known;
  /// empty without a grammar.
  private var places: [ConstraintPlace] = []
  /// The same for the next draft beside the block's own.
  private var besidePlace: ConstraintPlace?

  /// Runners-up of the last choice that was asked for them, the best first.
  private(set) var runnersUp: [(token: Token, score: Float)] = []
  private var behind: [(column: Int, distance: Double)] = []
  /// How far behind the first choice they may be.
  private static let depth = 4.0
  package static let mostRunnersUp = 8

  /// Makes the chooser of one sequence.
  ///
  /// - Parameters:
  ///   - sampling: how the target's tokens are chosen.
  ///   - choice: how drafts are chosen. Argmax drafts see the target's repetition penalty, but no
  ///     temperature or filter, which leave the most probable token where it is.
  ///   - context: the committed tokens, which are the target's side's; they are only looked at.
  package init(_ sampling: SamplingParameters, choice: DraftChoice, context: TokenPresence) {
    var drafting = sampling
    if choice == .argmax { drafting.temperature = 0 }
    chooser = TokenChooser(drafting)
    self.choice = choice
    runnersUp.reserveCapacity(Self.mostRunnersUp)
    behind.reserveCapacity(Self.mostRunnersUp)
    self.context = context
  }

  /// Chooses a draft of a block.
  ///
  /// - Parameters:
  ///   - row: the drafter's logits: [count]. Overwritten.
  ///   - count: columns.
  ///   - position: the absolute position of the draft.
  ///   - map: what columns mean as tokens; `nil` if column and token are the same number.
  ///   - others: how many ``runnersUp`` to find.
  /// - Returns: the column, its token, and its probability under the processed row; `nil` if a logit
  ///   is NaN or infinite.
  package mutating func choose(
    _ row: UnsafeMutablePointer<Float>, count: Int, position: Int, map: VocabularyMap? = nil,
    others: Int = 0
  ) -> (column: Int, token: Token, confidence: Float)? {
    let place = position - start
    let known = places.indices.contains(place) ? places[place] : nil
    let draft = choose(
      row, count: count, position: position, map: map, others: others, allowedAt: known)
    if let draft, var known, place == places.count - 1, known.advance(by: draft.token) {
      places.append(known)
    }
    return draft
  }

  private mutating func choose(
    _ row: UnsafeMutablePointer<Float>, count: Int, position: Int, map: VocabularyMap?,
    others: Int, allowedAt place: ConstraintPlace?
  ) -> (column: Int, token: Token, confidence: Float)? {
    guard
      let column = chooser.column(
        row, count: count, position: position, context: context, drafts: drafts, map: map,
        place: place)
    else { return nil }
    let token = map?.tokens[column] ?? Token(column)
    let others = max(others, choices?.width ?? 0)
    if others > 0 {
      chooser.runnersUp(
        row, count: count, winner: column, position: position, map: map, limit: others,
        depth: Self.depth, into: &behind)
    }
    let top = Kernels.maximum(row, count: count)
    let chosen = exp(row[column] - top)
    let total = Kernels.exp(row, into: row, count: count, shift: top)
    let confidence = chosen / total
    if others > 0 {
      runnersUp.removeAll(keepingCapacity: true)
      for (column, distance) in behind {
        let score = isCoupled ? Float(exp(-distance)) : row[column] / total
        runnersUp.append((map?.tokens[column] ?? Token(column), score))
      }
    }
    choices?.record([token] + runnersUp.map(\.token), place: position - start)
    recorder?.record(row, count: count, total: total, place: position - start, map: map)
    distributions?.record(row, count: count, total: total, place: position - start, map: map)
    if chooser.parameters.usesContext, !context.contains(token), !drafts.contains(token) {
      drafts.append(token)
    }
    return (column, token, confidence)
  }

  /// Whether choices are made under the target's noise.
  var isCoupled: Bool { choice == .coupled && !chooser.parameters.isGreedy }
  var temperature: Float { chooser.parameters.temperature }

  /// The numbers that tokens are chosen by at a position.
  func noise(position: Int) -> KeyedNoise.Stream { chooser.noise(position: position) }

  /// Chooses a draft that stands beside the block's own.
  mutating func chooseBeside(
    _ row: UnsafeMutablePointer<Float>, count: Int, position: Int, map: VocabularyMap?
  ) -> (token: Token, confidence: Float)? {
    let kept = (recorder, drafts.count)
    recorder = nil
    defer {
      recorder = kept.0
      drafts.removeLast(drafts.count - kept.1)
    }
    let draft = choose(
      row, count: count, position: position, map: map, others: 0, allowedAt: besidePlace)
    if let draft { _ = besidePlace?.advance(by: draft.token) }
    return draft.map { ($0.token, $0.confidence) }
  }

  /// Begins a branch with a token in place of a draft of the block.
  mutating func beginBeside(_ token: Token, place: Int) {
    besidePlace = places.indices.contains(place) ? places[place] : nil
    _ = besidePlace?.advance(by: token)
  }

  /// Has the next block's drafts chosen among what the target may choose.
  package mutating func constrain(to place: ConstraintPlace?) {
    if let place { places.append(place) }
  }

  /// Begins a block at a position: earlier drafts aren't part of the text.
  ///
  /// - Parameter fixed: drafts of the block that stand already; nil where one is still to be chosen.
  mutating func beginBlock(at position: Int, behind fixed: [Token?] = []) {
    drafts.removeAll(keepingCapacity: true)
    let first = fixed.isEmpty ? nil : places.first
    places.removeAll(keepingCapacity: true)
    besidePlace = nil
    start = position
    if var place = first {
      places.append(place)
      for token in fixed {
        guard let token, place.advance(by: token) else { break }
        places.append(place)
      }
    }
    distributions?.begin()
    choices?.begin()
    if choice == .sampled {
      chooser.key(VerificationNoise.draftSeed(chooser.parameters.seed, start: position))
    }
    guard chooser.parameters.usesContext else { return }
    for case let token? in fixed where !context.contains(token) && !drafts.contains(token) {
      drafts.append(token)
    }
  }
}

/// How a drafter's logits become draft tokens. The output is the same either way; how many drafts
/// match is not.
public enum DraftChoice: String, Sendable, Equatable, Codable, CaseIterable {
  /// The drafter's most probable token: the better choice at low temperature.
  case argmax
  /// The drafter's own sample under the noise that the target will use at that position, so that
  /// both fall on the same token with probability at least `(1 − TV)/(1 + TV)` (arXiv 2408.07978).
  case coupled
  /// The drafter's own sample under numbers of its own: what token and block verification weigh. Beside the
  /// target's own choice it matches least often.
  case sampled

  /// Up to this temperature argmax drafts are expected to match more often than coupled ones.
  private static let argmaxTemperature: Float = 0.6

  /// The choice of which more drafts are expected to stay.
  public static func automatic(
    _ sampling: SamplingParameters, _ verification: Verification = .match
  ) -> DraftChoice {
    if verification != .match, !sampling.isGreedy { return .sampled }
    return sampling.temperature <= argmaxTemperature ? .argmax : .coupled
  }
}
