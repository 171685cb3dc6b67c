import Foundation

/// One task of a prompt set: what a model is asked, turn by turn.
package struct PromptTask: Sendable {
  /// What it is about: the file's own category, or the file's name.
  package var category: String
  package var prompt: PromptInput.Prompt

  package init(category: String, prompt: PromptInput.Prompt) {
    self.category = category
    self.prompt = prompt
  }

  /// The tasks of a file: the prompt sets of the speculative decoding literature, or any file that
  /// `speculate generate` takes. Of a document a beginning is the prompt.
  ///
  /// - Throws: `SpeculateError` naming file and line.
  package static func read(_ path: String) throws -> [PromptTask] {
    let name = String(URL(filePath: path).lastPathComponent.prefix { $0 != "." })
    return try PromptInput.file(path, option: "--prompts", for: .analysed).map {
      PromptTask(category: $0.category ?? name, prompt: $0)
    }
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
