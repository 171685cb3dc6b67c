import Foundation

/// The files of a model that is split: `NAME-00001-of-00003.gguf` and so on.
struct GGUFParts {
  /// The files, in order.
  let files: [URL]
  /// Which of them was opened.
  let index: Int

  private static let countKey = "split.count"
  private static let indexKey = "split.no"
  private static let tensorsKey = "split.tensors.count"

  /// The parts that belong to a file, which must be there; nil if the file is a whole model.
  ///
  /// - Throws: `SpeculateError` naming the file and what is wrong with its parts.
  init?(of url: URL, _ header: GGUFHeader) throws {
    guard let count = header.metadata[Self.countKey] else { return nil }
    guard let count = count.integer, let index = header.metadata[Self.indexKey]?.integer,
      count > 0, count <= 99_999, (0..<count).contains(index)
    else {
      throw SpeculateError(
        "\(url.path): \(Self.countKey) and \(Self.indexKey) don't name one of several parts; "
          + "download or split the model again")
    }
    guard count > 1 else { return nil }
    let ending = Self.ending(of: index, count)
    let name = url.lastPathComponent
    guard name.hasSuffix(ending) else {
      throw SpeculateError(
        "\(url.path): is part \(index + 1) of \(count) of a model, but its name doesn't end in "
          + "\(ending); give the parts their names back")
    }
    let folder = url.deletingLastPathComponent()
    let stem = name.dropLast(ending.count)
    var files: [URL] = []
    for part in 0..<count {
      let file = folder.appendingPathComponent(stem + Self.ending(of: part, count))
      guard FileManager.default.fileExists(atPath: file.path) else {
        throw SpeculateError(
          "\(url.path): the part \(quoted(file.lastPathComponent)) of the model is missing; "
            + "download it too")
      }
      files.append(file)
    }
    self.files = files
    self.index = index
  }

  /// Checks that a file is the part that its name says.
  func check(_ header: GGUFHeader, at index: Int) throws {
    guard header.metadata[Self.countKey]?.integer == files.count,
      header.metadata[Self.indexKey]?.integer == index
    else {
      throw SpeculateError(
        "\(files[index].path): is not part \(index + 1) of \(files.count) of a model as its name "
          + "says; download it again")
    }
  }

  /// Checks that all tensors are there, if the first part says how many there are.
  func check(tensors count: Int, _ first: GGUFHeader) throws {
    guard let stated = first.metadata[Self.tensorsKey] else { return }
    guard stated.integer == count else {
      throw SpeculateError(
        "\(files[0].path): the parts have \(count) tensors together, but \(Self.tensorsKey) is "
          + "\(stated.integer.map(String.init) ?? "no number"); download the parts again")
    }
  }

  private static func ending(of index: Int, _ count: Int) -> String {
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return "-\(digits(index + 1))-of-\(digits(count)).gguf"
  }
}
