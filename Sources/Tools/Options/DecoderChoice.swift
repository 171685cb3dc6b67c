import ArgumentParser

/// What decodes.
enum DecoderChoice: String, ExpressibleByArgument, CaseIterable {
  case draft
  case jacobi
}

/// Whether something is done, where both ways can be compared.
enum SwitchChoice: String, ExpressibleByArgument, CaseIterable {
  case on
  case off
}

/// What drafts, as the command line names it.
enum DrafterChoice: ExpressibleByArgument, Equatable {
  case none
  /// Matches in the text so far.
  case suffix
  /// A drafter's folder.
  case folder(String)

  init(argument: String) {
    switch argument {
    case "none": self = .none
    case "suffix": self = .suffix
    default: self = .folder(argument)
    }
  }
}
