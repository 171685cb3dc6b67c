import ArgumentParser

/// A draft length as the command line names it: a number, or `auto`.
struct DraftLengthChoice: ExpressibleByArgument, Equatable {
  /// Drafts of a block; nil for as many as pay.
  var count: Int?

  init(count: Int?) { self.count = count }

  init?(argument: String) {
    if argument == "auto" {
      count = nil
    } else if let number = Int(argument), number >= 1 {
      count = number
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { count.map(String.init) ?? "auto" }
}
