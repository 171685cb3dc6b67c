import Files

/// Tells, place by place, where the text's own token stood among a source's choices, for analysis.
///
/// Choices are in the order in which the source would draft them: by probability, or under the target's noise where
/// drafts are coupled to it.
package final class ChoiceRecorder {
  /// Choices behind the first that are looked at.
  package let width: Int
  /// How often the text's token was the choice of a rank, 0 for the first, once all before it were first choices;
  /// the last column counts what none was: [places][width + 2].
  package private(set) var ranks: [[Int]] = []

  /// The choices of the block so far: [places][ranks].
  private var places: [[Token]] = []

  package init(width: Int) { self.width = width }

  func begin() { places.removeAll(keepingCapacity: true) }

  /// Takes the choices of a place; those of the last pass count.
  func record(_ choices: [Token], place: Int) {
    while places.count <= place { places.append([]) }
    places[place] = choices
  }

  /// Counts the block's choices.
  ///
  /// - Parameter text: what followed the anchor.
  func judge(_ text: ArraySlice<Token>) {
    for (place, (choices, token)) in zip(places, text).enumerated() where !choices.isEmpty {
      while ranks.count <= place { ranks.append([Int](repeating: 0, count: width + 2)) }
      let rank = choices.firstIndex(of: token) ?? width + 1
      ranks[place][rank] += 1
      guard rank == 0 else { return }
    }
  }
}
