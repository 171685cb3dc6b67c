package import Foundation

/// A model in GGUF files: metadata and tensors, mapped into memory and found by name.
///
/// Opening reads and checks every header completely and no value. A model that is split over several
/// files is opened by any of them. Nothing here knows what the tensors mean.
package final class GGUFFile: Sendable {
  /// What is known of a tensor before any of its values is read.
  package struct Tensor: Sendable, Equatable {
    /// The tensor's name.
    package let name: String
    /// How its values are stored.
    package let type: GGUFTensorType
    /// Its shape, outermost dimension first.
    package let shape: [Int]

    package init(name: String, type: GGUFTensorType, shape: [Int]) {
      self.name = name
      self.type = type
      self.shape = shape
    }
  }

  /// Where one tensor lies.
  private struct Entry: Sendable {
    let tensor: Tensor
    let bytes: Range<Int>
    let part: Int
  }

  /// The file that was opened, for messages.
  package let url: URL
  /// All files of the model, in order.
  package let files: [URL]
  /// The names of all tensors, sorted.
  package let names: [String]
  /// The metadata; of two values for one key the first file's stays.
  package let metadata: [String: GGUFValue]

  private let contents: [any GGUFContents]
  private let entries: [String: Entry]

  /// Opens a model.
  ///
  /// - Throws: `SpeculateError` if a file can't be read or is damaged, or a part of a split model is
  ///   missing.
  package init(url: URL) throws {
    self.url = url
    var contents: [any GGUFContents] = []
    var headers: [GGUFHeader] = []
    let opened = try Self.open(url)
    if let parts = try GGUFParts(of: url, opened.1) {
      files = parts.files
      for (index, file) in parts.files.enumerated() {
        let part = index == parts.index ? opened : try Self.open(file)
        try parts.check(part.1, at: index)
        contents.append(part.0)
        headers.append(part.1)
      }
      try parts.check(tensors: headers.reduce(0) { $0 + $1.tensors.count }, headers[0])
    } else {
      files = [url]
      contents.append(opened.0)
      headers.append(opened.1)
    }
    var entries: [String: Entry] = [:]
    for (part, header) in headers.enumerated() {
      for tensor in header.tensors {
        let entry = Entry(
          tensor: Tensor(name: tensor.name, type: tensor.type, shape: tensor.shape),
          bytes: tensor.bytes, part: part)
        if let other = entries.updateValue(entry, forKey: tensor.name) {
          throw SpeculateError(
            "\(files[part].path): tensor \(quoted(tensor.name)) is in "
              + "\(files[other.part].lastPathComponent) too; download or convert the model again")
        }
      }
    }
    self.contents = contents
    self.entries = entries
    metadata = headers.reduce(into: [:]) { all, header in
      all.merge(header.metadata) { first, _ in first }
    }
    names = entries.keys.sorted()
  }

  /// A model that isn't written yet, for whoever checks what readers will make of it.
  ///
  /// - Parameters:
  ///   - tensors: What is known of the tensors, whose names must differ.
  ///   - values: The bytes of those tensors that can be asked for.
  package init(
    planned url: URL, metadata: [String: GGUFValue], tensors: [Tensor], values: [String: [UInt8]]
  ) {
    self.url = url
    files = [url]
    self.metadata = metadata
    var contents: [any GGUFContents] = []
    var entries: [String: Entry] = [:]
    for tensor in tensors {
      let bytes = values[tensor.name] ?? []
      entries[tensor.name] = Entry(tensor: tensor, bytes: 0..<bytes.count, part: contents.count)
      contents.append(OwnedContents(bytes))
    }
    self.contents = contents
    self.entries = entries
    names = entries.keys.sorted()
  }

  /// Whether a path is meant as a GGUF model, by its name.
  package static func isMeant(by url: URL) -> Bool { url.pathExtension.lowercased() == "gguf" }

  private static func open(_ url: URL) throws -> (any GGUFContents, GGUFHeader) {
    let content = try MappedFile(url: url)
    return (content, try GGUFHeader(content, path: url.path))
  }

  /// What is known of a tensor; nil if there is none of that name.
  package func tensor(_ name: String) -> Tensor? { entries[name]?.tensor }

  /// Bytes of a tensor; nil if there is none of that name.
  package func byteCount(of name: String) -> Int? { entries[name]?.bytes.count }

  /// Lends the bytes of a tensor as they lie in the file, row by row.
  ///
  /// - Throws: `SpeculateError` if there is no such tensor, and whatever `body` throws.
  package func withBytes<R>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    guard let entry = entries[name] else {
      throw SpeculateError(
        "\(url.path): there is no tensor \(quoted(name)); the model is incomplete or of another "
          + "architecture")
    }
    let content = contents[entry.part]
    return try withExtendedLifetime(content) {
      try body(UnsafeRawBufferPointer(rebasing: content.bytes[entry.bytes]))
    }
  }
}
