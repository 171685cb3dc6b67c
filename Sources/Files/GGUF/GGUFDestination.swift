package import Foundation

/// A GGUF file that this process alone writes: claimed before the work, written as a whole or not at all.
package struct GGUFDestination {
  package let url: URL
  private let claim: OutputClaim
  private let replaces: Bool

  /// Claims the place.
  ///
  /// - Parameters:
  ///   - url: The file; its name must end in `.gguf`, or nothing would read it.
  ///   - replaces: Whether a GGUF file that is there already is replaced.
  ///   - inputs: What the file is made of.
  /// - Throws: `SpeculateError` when there is something that may not be replaced, the place is an input,
  ///   is being written, or its folder is missing.
  package init(_ url: URL, replaces: Bool, apartFrom inputs: [URL]) throws {
    guard GGUFFile.isMeant(by: url) else {
      throw SpeculateError(
        "\(url.path): the name of a GGUF file must end in .gguf; give another destination")
    }
    self.url = url
    self.replaces = replaces
    claim = try OutputClaim.namingDestination {
      try OutputClaim(file: url, apartFrom: inputs.map { OutputClaim.Input("source", $0) })
    }
    try check()
  }

  private func check() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return }
    guard !isFolder.boolValue else {
      throw SpeculateError("\(url.path): is a folder; give the name of a file to write")
    }
    guard replaces else {
      throw SpeculateError(
        "\(url.path): exists already; give another file, or ‘force’ to replace it")
    }
    // Never remove what isn't a model.
    let start = (try? FileHandle(forReadingFrom: url))?.readData(ofLength: 4)
    guard start == Data("GGUF".utf8) else {
      throw SpeculateError(
        "\(url.path): exists and is no GGUF file, so it is not replaced; give another file")
    }
  }

  /// Writes the file.
  ///
  /// - Throws: As `GGUFWriter.write`, and if something that may not be replaced has come there.
  package func write(
    metadata: [(key: String, value: GGUFValue)], _ entries: [GGUFWriter.Entry]
  ) throws {
    try check()
    try withExtendedLifetime(claim) {
      try GGUFWriter.write(metadata: metadata, entries, to: url)
    }
  }
}

extension OutputClaim {
  /// A claim of what a conversion writes: its errors call the output a destination.
  package static func namingDestination(
    _ claim: () throws -> OutputClaim
  ) throws -> OutputClaim {
    do {
      return try claim()
    } catch let error as SpeculateError {
      throw SpeculateError(
        error.description.replacing("an ‘output’", with: "a destination")
          .replacing("‘output’", with: "destination")
          .replacing("‘source’", with: "source"))
    }
  }
}
