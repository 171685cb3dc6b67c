import Files
import Foundation
import Speculate

/// Reads traces, and says where and how one is damaged.
struct TraceReader {
  private let path: String
  private let lines: LineReader
  private let salvaging: Bool
  private var texts: [Token: String] = [:]
  private var units: [TraceUnit] = []
  private var unit = TraceUnit()
  /// Whether lines of a unit were read that has not ended.
  private var isInsideUnit = false
  /// The generation that is open.
  private var entry: TraceEntry?
  /// Number and length of the prompts so far.
  private var prompts: [Int: Int] = [:]

  init(url: URL, salvaging: Bool) throws {
    path = url.path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("\(path): there is no such trace; check the path")
    }
    guard !isFolder.boolValue else {
      throw SpeculateError("\(path): this is a folder; give a file that ‘trace’ wrote")
    }
    lines = try LineReader(url: url)
    self.salvaging = salvaging
  }

  mutating func read() throws -> Trace {
    let header = try header()
    do {
      while let line = try lines.next() {
        do {
          try take(line, configurations: header.configurations.count)
        } catch let problem as SpeculateError {
          throw damaged(problem.description)
        }
      }
      guard !isInsideUnit else {
        throw SpeculateError(
          "\(path): the trace is cut short after line \(lines.lineNumber); make it again")
      }
    } catch  where salvaging {
      // What a killed run left incomplete is measured again.
    }
    return Trace(header: header, texts: texts, units: units)
  }

  private func damaged(_ problem: String) -> SpeculateError {
    SpeculateError(
      "\(path) line \(lines.lineNumber): \(problem): the trace is damaged; make it again")
  }

  // MARK: Lines

  private func header() throws -> TraceHeader {
    let noTrace = SpeculateError("\(path): this is no trace; give a file that ‘trace’ wrote")
    guard let line = try lines.next(), let value = try? JSONValue(parsing: line),
      value["kind"]?.text == "trace", let version = value["version"]?.integer
    else { throw noTrace }
    guard version <= TraceHeader.version else {
      throw SpeculateError(
        "\(path): this trace has version \(version), but this program reads versions up to "
          + "\(TraceHeader.version); use the speculate that wrote it, or a newer one")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard version >= 1, let header = try? decoder.decode(TraceHeader.self, from: Data(line.utf8))
    else { throw damaged("the header lacks a field or has one of another type") }
    let names = Set(header.configurations.map(\.name))
    guard !header.configurations.isEmpty, names.count == header.configurations.count,
      header.configurations.compactMap(\.baseline).allSatisfy(names.contains)
    else { throw damaged("the configurations' names are not in order") }
    return header
  }

  private mutating func take(_ line: String, configurations: Int) throws {
    let value = try JSONValue(parsing: line)
    isInsideUnit = value["kind"]?.text != "unit"
    switch value["kind"]?.text {
    case "tokens": try takeTexts(value)
    case "prompt": try takePrompt(value)
    case "generation": try takeGeneration(value, configurations: configurations)
    case "round":
      guard entry != nil else { throw SpeculateError("a round outside a generation") }
      entry?.generation.rounds.append(try RoundRecord(value))
    case "end": try takeEnd(value)
    case "unit":
      guard entry == nil else { throw SpeculateError("a generation without end") }
      units.append(unit)
      unit = TraceUnit()
    case let kind?: throw SpeculateError("an unknown kind of line, \(quoted(kind))")
    case nil: throw SpeculateError("there is no \"kind\"")
    }
  }

  // MARK: Kinds of lines

  private mutating func takeTexts(_ value: JSONValue) throws {
    for (name, text) in try value.member("texts").members ?? [:] {
      guard let token = Token(name), let text = text.text else {
        throw SpeculateError("the texts are not those of tokens")
      }
      texts[token] = text
    }
  }

  private mutating func takePrompt(_ value: JSONValue) throws {
    let prompt = TracePrompt(
      number: try value.count("prompt"), task: try value.count("task"),
      turn: try value.count("turn"), category: try value.string("category"),
      place: try value.string("place"), ids: try value.tokens("ids"))
    guard !prompt.ids.isEmpty, prompts.updateValue(prompt.ids.count, forKey: prompt.number) == nil
    else { throw SpeculateError("prompt \(prompt.number) is empty or there twice") }
    unit.prompts.append(prompt)
  }

  private mutating func takeGeneration(_ value: JSONValue, configurations: Int) throws {
    guard entry == nil else { throw SpeculateError("a generation without end") }
    let made = TraceEntry(
      configuration: try value.count("configuration"), prompt: try value.count("prompt"),
      repetition: try value.count("repeat"),
      generation: TracedGeneration(
        promptTokens: try value.count("prompt_tokens"), rounds: [], finishReason: .length,
        prefillSeconds: 0))
    guard made.configuration < configurations else {
      throw SpeculateError("there is no configuration \(made.configuration)")
    }
    guard prompts[made.prompt] == made.generation.promptTokens else {
      throw SpeculateError(
        "there is no prompt \(made.prompt) of \(made.generation.promptTokens) tokens")
    }
    entry = made
  }

  private mutating func takeEnd(_ value: JSONValue) throws {
    guard var entry else { throw SpeculateError("an end outside a generation") }
    guard let finish = FinishReason(rawValue: try value.string("finish")) else {
      throw SpeculateError("\"finish\" has an unknown value")
    }
    entry.generation.finishReason = finish
    entry.generation.prefillSeconds = try value.number("prefill_us") / 1e6
    if let problem = entry.generation.inconsistency { throw SpeculateError(problem) }
    let tokens = entry.generation.rounds.reduce(0) { $0 + $1.tokens.count }
    guard try value.count("tokens") == tokens,
      try value.count("rounds") == entry.generation.rounds.count
    else { throw SpeculateError("rounds of this generation are missing") }
    unit.entries.append(entry)
    self.entry = nil
  }
}
