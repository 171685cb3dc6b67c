import Files

/// Prompts of one source, or of several by weights: prompt `n` is a function of the sources and `n`.
///
/// Of any first prompts, each source has its share but for one.
final class PromptMix {
  enum Source {
    case file(PromptSource)
    case written(WrittenPrompts)
  }

  private let sources: [Source]
  /// Which source a prompt is from, and its number there.
  private var places: [(source: Int, number: Int)] = []

  /// - Parameters:
  ///   - sources: With weights above zero, of which only the ratios count.
  ///   - count: How many prompts are wanted.
  init(_ sources: [(source: Source, weight: Double)], count: Int) {
    self.sources = sources.map(\.source)
    let whole = sources.reduce(0) { $0 + $1.weight }
    var taken = [Int](repeating: 0, count: sources.count)
    places.reserveCapacity(count)
    for number in 0..<count {
      // The one that is furthest behind its share; of several the first.
      let behind = sources.indices.map {
        sources[$0].weight / whole * Double(number + 1) - Double(taken[$0])
      }
      let source = behind.indices.reduce(0) { behind[$1] > behind[$0] ? $1 : $0 }
      places.append((source, taken[source]))
      taken[source] += 1
    }
  }

  /// The tokens of prompt `number`, and where they are from.
  ///
  /// - Throws: `SpeculateError` when the tokenizer can't encode the prompt.
  func prompt(_ number: Int) throws -> (tokens: [Token], document: Int) {
    let place = places[number]
    switch sources[place.source] {
    case .file(let file):
      return (try file.prompt(place.number), file.document(ofPrompt: place.number))
    case .written(let written):
      let prompt = written.kept[place.number]
      return (prompt.chat, prompt.number)
    }
  }

  /// The prompts that the target writes; nil if it writes none.
  var written: WrittenPrompts? {
    sources.lazy.compactMap { if case .written(let written) = $0 { written } else { nil } }.first
  }

  /// How many of the first `count` prompts the target writes.
  func writtenCount(below count: Int) -> Int {
    places.prefix(count).count { if case .written = sources[$0.source] { true } else { false } }
  }

  private var files: [PromptSource] {
    sources.compactMap { if case .file(let file) = $0 { file } else { nil } }
  }

  /// The number of chats that are longer than prompts may be, and left out.
  var tooLongChats: Int { files.reduce(0) { $0 + $1.tooLongChats } }

  /// Whether prompts are chats, whose answers end at the end of a turn.
  var holdsChats: Bool { written != nil || files.contains { $0.chatFingerprint != nil } }
}
