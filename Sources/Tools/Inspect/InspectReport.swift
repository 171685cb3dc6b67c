import Files
import Foundation

/// What `speculate inspect` says, as text and as JSON.
package struct InspectReport: Encodable, Sendable {
  /// One tensor of the weights.
  package struct Tensor: Encodable, Sendable {
    package var name: String
    /// As the file names it, supported or not.
    package var dtype: String
    package var shape: [Int]
    package var bytes: Int
  }

  /// A setting and its value as people read it.
  package struct Setting: Sendable, Equatable {
    package var name: String
    package var value: String
  }

  /// The folder or file as it was given.
  package var path: String
  /// The model's kind and sizes, in the order they are printed; empty for a file, or where
  /// `config.json` can't be used.
  package var settings: [Setting] = []
  /// Why there is no configuration.
  package var configurationProblem: String?
  /// The tokenizer's file, if there is one.
  package var tokenizer: String?
  /// The files of the weights.
  package var files: [String]
  /// The files' `__metadata__`.
  package var metadata: [String: String]
  /// The tensors by name, numbers in names by value.
  package var tensors: [Tensor]
  /// The number of elements of all tensors.
  package var parameters: Int
  /// The size of all tensors.
  package var bytes: Int
  /// The size of the tensors of each type.
  package var bytesByType: [String: Int]

  private enum CodingKeys: String, CodingKey {
    case path, configuration, configurationProblem, tokenizer, files, metadata, tensors
    case parameters, bytes, bytesByType
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(path, forKey: .path)
    try container.encode(
      Dictionary(uniqueKeysWithValues: settings.map { ($0.name, $0.value) }),
      forKey: .configuration)
    try container.encodeIfPresent(configurationProblem, forKey: .configurationProblem)
    try container.encodeIfPresent(tokenizer, forKey: .tokenizer)
    try container.encode(files, forKey: .files)
    try container.encode(metadata, forKey: .metadata)
    try container.encode(tensors, forKey: .tensors)
    try container.encode(parameters, forKey: .parameters)
    try container.encode(bytes, forKey: .bytes)
    try container.encode(bytesByType, forKey: .bytesByType)
  }

  /// Looks into a folder or a file.
  ///
  /// - Throws: `SpeculateError` when there is none, or its weights are missing or damaged.
  package init(path: String) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("\(path): there is no such folder or file; check the path")
    }
    self.path = path
    let url = URL(filePath: path)
    let checkpoint: Checkpoint
    if isFolder.boolValue {
      checkpoint = try Checkpoint(directory: url)
      tokenizer = ["tokenizer.json", "tokenizer.model"].first {
        FileManager.default.fileExists(atPath: url.appending(path: $0).path)
      }
      do {
        settings = try Self.settings(url)
      } catch {
        configurationProblem = "\(error)"
      }
    } else {
      guard path.hasSuffix(".safetensors") || path.hasSuffix(".safetensors.zst") else {
        throw SpeculateError(
          "\(path): this is no file of weights; give a folder, or a .safetensors or "
            + ".safetensors.zst file")
      }
      checkpoint = try Checkpoint(file: url)
    }
    files = checkpoint.files.map(\.lastPathComponent)
    metadata = checkpoint.metadata
    // Layer 10 after layer 9, not after layer 1.
    let names = checkpoint.names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    tensors = names.map { name in
      Tensor(
        name: name, dtype: checkpoint.storedType(of: name)?.rawValue ?? "",
        shape: checkpoint.shape(of: name) ?? [],
        bytes: checkpoint.byteCount(of: name) ?? 0)
    }
    parameters = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    bytes = tensors.reduce(0) { $0 + $1.bytes }
    bytesByType = tensors.reduce(into: [:]) { $0[$1.dtype, default: 0] += $1.bytes }
  }

  /// The report as lines of text.
  package var lines: [String] {
    var rows = [Setting(name: "path", value: path)]
    rows += settings
    if let configurationProblem {
      rows.append(Setting(name: "configuration", value: "not usable: \(configurationProblem)"))
    }
    if !settings.isEmpty || configurationProblem != nil {
      rows.append(Setting(name: "tokenizer", value: tokenizer ?? "none"))
    }
    rows.append(Setting(name: "weights", value: files.joined(separator: ", ")))
    rows += metadata.sorted { $0.key < $1.key }.map {
      Setting(name: "metadata", value: "\(quoted($0.key)): \(quoted($0.value))")
    }
    let width = rows.reduce(0) { max($0, $1.name.count) } + 2
    var lines = rows.map { Self.padded($0.name, width) + $0.value }
    lines.append("")
    lines += table
    lines.append("")
    let types = bytesByType.sorted { $0.key < $1.key }
      .map { "\($0.key) \(Self.mebibytes($0.value)) MiB" }.joined(separator: ", ")
    lines.append(
      "\(Figures.count(tensors.count)) \(tensors.count == 1 ? "tensor" : "tensors"), "
        + "\(Figures.count(parameters)) parameters, \(Self.mebibytes(bytes)) MiB"
        + (types.isEmpty ? "" : " (\(types))"))
    return lines
  }

  /// The tensors under their headings.
  private var table: [String] {
    let cells =
      [["tensor", "dtype", "shape", "MiB"]]
      + tensors.map {
        [Self.plain($0.name), $0.dtype, "\($0.shape)", Self.mebibytes($0.bytes)]
      }
    let widths = (0..<4).map { column in cells.reduce(0) { max($0, $1[column].count) } }
    return cells.map { row in
      (0..<3).map { Self.padded(row[$0], widths[$0] + 2) }.joined()
        + String(repeating: " ", count: widths[3] - row[3].count) + row[3]
    }
  }

  /// A name as it is, unless it would break the table.
  private static func plain(_ name: String) -> String {
    let text = quoted(name)
    return text == "\"\(name)\"" ? name : text
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func mebibytes(_ bytes: Int) -> String {
    Figures.fixed(Double(bytes) / 1_048_576, 2)
  }
}
