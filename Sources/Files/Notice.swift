/// Something about a file that the user should know although nothing is wrong: one of two readings was taken, or a
/// setting is not applied.
///
/// Libraries give notices as values; a program decides where to say them.
public struct Notice: Sendable, Equatable, CustomStringConvertible {
  /// The file that it is about.
  public let file: String
  /// The settings or tensors of the file that it is about; empty for the file as a whole.
  public let keys: [String]
  /// What there is to know, and what to do about it.
  public let text: String

  package init(_ file: String, keys: [String] = [], _ text: String) {
    self.file = file
    self.keys = keys
    self.text = text
  }

  /// The file, its settings, and what there is to know, on one line.
  public var description: String {
    keys.isEmpty ? "\(file): \(text)" : "\(file): \(keys.joined(separator: ", ")): \(text)"
  }
}
