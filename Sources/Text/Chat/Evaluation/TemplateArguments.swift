/// What a function, filter or test is called with.
struct TemplateArguments {
  var positional: [TemplateValue] = []
  var named: [(name: String, value: TemplateValue)] = []

  var isEmpty: Bool { positional.isEmpty && named.isEmpty }

  /// The values of parameters, by position or by name; nil where none is given.
  ///
  /// - Throws: `TemplateProblem` when there are more than that, or one is missing.
  func bound(
    to parameters: [String], required: Int = 0, of function: String
  ) throws -> [TemplateValue?] {
    guard positional.count <= parameters.count else {
      throw TemplateProblem(
        "'\(function)' takes at most \(parameters.count) arguments, not \(positional.count)")
    }
    var values: [TemplateValue?] =
      positional + [TemplateValue?](repeating: nil, count: parameters.count - positional.count)
    for (name, value) in named {
      guard let place = parameters.firstIndex(of: name), values[place] == nil else {
        throw TemplateProblem("'\(function)' can't be given '\(name)'")
      }
      values[place] = value
    }
    if let place = values.prefix(required).firstIndex(where: { $0 == nil }) {
      throw TemplateProblem("'\(function)' needs '\(parameters[place])'")
    }
    return values
  }
}
