/// One task of a prompt set: what a model is asked, turn by turn.
package struct PromptTask: Equatable, Sendable {
  /// What it is about: the file's own category, or the file's name.
  package var category: String
  /// Where it stands: `mt_bench.jsonl line 3`.
  package var place: String
  /// What is asked; at least one text, none of them empty.
  package var turns: [String]

  package init(category: String, place: String, turns: [String]) {
    self.category = category
    self.place = place
    self.turns = turns
  }

  /// Takes some tasks, from every category as many, spread evenly over each.
  ///
  /// Prompt sets are sorted by category, so that the first ones would be of one kind.
  package static func sample(_ tasks: [PromptTask], _ count: Int) -> [PromptTask] {
    guard count < tasks.count else { return tasks }
    var places: [String: [Int]] = [:]
    for (place, task) in tasks.enumerated() { places[task.category, default: []].append(place) }
    let groups = places.values.sorted { $0[0] < $1[0] }
    var shares = [Int](repeating: 0, count: groups.count)
    var left = count
    while left > 0 {
      for (index, group) in groups.enumerated() where left > 0 && shares[index] < group.count {
        shares[index] += 1
        left -= 1
      }
    }
    let chosen = zip(groups, shares).flatMap { group, share in
      (0..<share).map { group[$0 * group.count / share] }
    }
    return chosen.sorted().map { tasks[$0] }
  }
}
