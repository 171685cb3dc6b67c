/// What `cycler` and `joiner` make: something that changes with every call.
struct TemplateCounter {
  let items: [TemplateValue]
  /// Whether it gives the first item once, and the second from then on.
  let isJoiner: Bool
  var place = 0
}

extension TemplateEvaluator {
  /// `cycler(values…)` or `joiner(separator)`.
  func counter(_ name: String, _ arguments: TemplateArguments) throws -> TemplateValue {
    if name == "joiner" {
      let separator = try arguments.bound(to: ["sep"], of: name)[0] ?? .string(", ")
      counters.append(TemplateCounter(items: [.string(""), separator], isJoiner: true))
    } else {
      guard !arguments.positional.isEmpty, arguments.named.isEmpty else {
        throw TemplateProblem("'cycler' needs values")
      }
      counters.append(TemplateCounter(items: arguments.positional, isJoiner: false))
    }
    return .function(.counter(counters.count - 1))
  }

  func callCounter(_ number: Int, _ arguments: TemplateArguments) throws -> TemplateValue {
    guard counters[number].isJoiner else { throw TemplateProblem("a cycler is called by 'next'") }
    guard arguments.isEmpty else { throw TemplateProblem("a joiner takes no arguments") }
    defer { counters[number].place = 1 }
    return counters[number].items[counters[number].place]
  }

  func counterAttribute(_ name: String, _ number: Int) -> TemplateValue? {
    guard !counters[number].isJoiner else { return nil }
    switch name {
    case "current": return counters[number].items[counters[number].place]
    case "next", "reset": return .function(.method(.function(.counter(number)), name))
    default: return nil
    }
  }

  /// `next` and `reset` of a cycler.
  func counterMethod(_ name: String, _ number: Int) -> TemplateValue {
    let counter = counters[number]
    counters[number].place = name == "next" ? (counter.place + 1) % counter.items.count : 0
    return name == "next" ? counter.items[counter.place] : .null
  }
}
