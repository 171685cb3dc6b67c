import ArgumentParser
import Files
import Foundation

/// What the argument parser leaves unsaid about a command line, or says of something else: an option
/// that there is not, one that is given twice or has no effect, a value that is empty.
struct CommandLineCheck {
  /// The parser's own description of an argument, as far as it is needed.
  private struct Argument: Decodable {
    struct Name: Decodable {
      var kind: String
      var name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }

    var kind: String
    var names: [Name]?
    var isRepeating: Bool
    var parsingStrategy: String
    var valueName: String?
  }

  private struct Description: Decodable {
    struct Command: Decodable {
      var arguments: [Argument]?
    }

    var command: Command
  }

  private let path: [String]
  private let reading: Reading

  /// Reads a command line.
  ///
  /// - Parameter words: What stands behind the program's name.
  init(_ words: [String], root: any ParsableCommand.Type) throws {
    var rest = words[...]
    var command = root
    var path = [root._commandName]
    func enter(_ next: (any ParsableCommand.Type)?) -> Bool {
      guard let next else { return false }
      command = next
      path.append(next._commandName)
      return true
    }
    while let word = rest.first,
      enter(command.configuration.subcommands.first { $0._commandName == word })
    { rest.removeFirst() }
    _ = enter(command.configuration.defaultSubcommand)
    let description = try JSONDecoder().decode(
      Description.self, from: Data(command._dumpHelp().utf8))
    self.path = path
    reading = Reading(rest, description.command.arguments ?? [])
  }

  /// What is wrong before the values are looked at, and whose help to ask for.
  var complaint: String? { reading.complaint.map(hinting) }

  /// What is wrong with options whose values all make sense by themselves.
  var idleOption: String? {
    OptionRule.complaint(path.dropFirst().joined(separator: " "), reading.given).map(hinting)
  }

  private func hinting(_ complaint: String) -> String {
    "\(complaint); see '\(path.joined(separator: " ")) --help'"
  }

  /// The options of a command line.
  private struct Reading {
    /// The first that can't be.
    private(set) var complaint: String?
    /// Options, those with a value with it too: `--drafter` and `--drafter none`.
    private(set) var given: Set<String> = []

    init(_ words: ArraySlice<String>, _ arguments: [Argument]) {
      complaint = read(words, arguments)
    }

    private mutating func read(
      _ words: ArraySlice<String>, _ arguments: [Argument]
    ) -> String? {
      let known = Dictionary(
        arguments.flatMap { argument in (argument.names ?? []).map { ($0.text, argument) } }
      ) { first, _ in first }
      var rest = words
      while let word = rest.popFirst() {
        if word.isEmpty { return "an argument is empty: leave it out, or give what it stands for" }
        if word == "--" || parserOptions.contains(word) { return nil }
        guard word.hasPrefix("-"), word.count > 1, Double(word) == nil else { continue }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let argument = known[name] else {
          return word.hasPrefix("--")
            ? unknown(name, among: known.keys.filter { $0.count > 2 }) : nil
        }
        let first = argument.names?.first { $0.kind == "long" }?.text ?? name
        guard argument.kind == "option" else {
          given.insert(name)
          continue
        }
        if argument.parsingStrategy == "upToNextOption" && parts.count == 1 {
          given.insert(first)
          guard let next = rest.first, next.hasPrefix("-"), Double(next) != nil else { continue }
          return "\(name) \(next) is out of range: give no negative number"
        }
        guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else { return nil }
        // An empty text is a prompt that its reader refuses; anything else has no empty value.
        if value.isEmpty && argument.valueName != "text" {
          return "\(name) is empty: leave it out, or give a value"
        }
        if !given.insert(first).inserted && !argument.isRepeating {
          return "\(name) is given twice: give it once"
        }
        given.insert("\(first) \(value)")
      }
      return nil
    }
  }

  /// What the parser answers by itself, whatever stands around it.
  private static let parserOptions: Set = [
    "-h", "--help", "--version", "--generate-completion-script", "--experimental-dump-help",
  ]

  private static func unknown(_ name: String, among names: [String]) -> String {
    let ranked = names.map { ($0, distance(name, $0)) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    let near = ranked.first.flatMap { $0.1 <= max(2, (name.count - 2) / 3) ? $0.0 : nil }
    return "Unknown option '\(name)'" + (near.map { ". Did you mean '\($0)'?" } ?? "")
  }

  /// Letters to insert, remove, replace or exchange with their neighbour, at least.
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var rows = [Array(0...b.count)]
    for i in 1...max(a.count, 1) where i <= a.count {
      var row = [i]
      for j in 1...max(b.count, 1) where j <= b.count {
        var least = min(
          rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          least = min(least, rows[i - 2][j - 2] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
