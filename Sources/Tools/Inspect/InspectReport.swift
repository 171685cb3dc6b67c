import Drafter
import Files
import Foundation
import Speculate
import Text
import Verifier

/// What `speculate inspect` says, as text and as JSON.
struct InspectReport: Encodable, Sendable {
  struct Tensor: Encodable, Sendable {
    var name: String
    /// As the file names it, supported or not.
    var dtype: String
    var shape: [Int]
    var bytes: Int
  }

  /// A setting, as people read it and as members of the JSON object.
  struct Setting {
    let name: String
    let value: String
    let members: [String: JSONValue]

    init(_ name: String, _ value: String, _ members: [String: JSONValue]? = nil) {
      self.name = name
      self.value = value
      self.members = members ?? [name: .string(value)]
    }

    init(_ name: String, _ count: Int) {
      self.init(name, Figures.count(count), [name: .integer(count)])
    }
  }

  var path: String
  /// The model's kind and sizes, in the order they are printed; empty for a file, or where
  /// `config.json` can't be used.
  var settings: [Setting] = []
  private var configuration: [String: JSONValue] = [:]
  var configurationProblem: String?
  private var context = 0
  var tokenizer: String?
  /// Tokens of the tokenizer, and those that end texts, by their spelling.
  var tokens: Int?
  var ends: [String] = []
  /// Whether a command can use the model; nil for a file that is a part of one.
  var runs: Bool?
  /// Why not.
  var problem: String?
  var prognosis: ModelPrognosis?
  /// Drafters on this disk that fit; nil for what is no target.
  var drafters: [String]?
  var files: [String]
  var metadata: [String: String]
  /// The tensors by name, numbers in names by value.
  var tensors: [Tensor]
  var parameters: Int
  var bytes: Int
  var bytesByType: [String: Int]

  private enum CodingKeys: CodingKey {
    case path, configuration, configurationProblem, tokenizer, tokens, ends, runs, problem
    case prognosis, drafters, files, metadata, tensors
    case parameters, bytes, bytesByType
  }

  /// Looks into a folder or a file.
  ///
  /// - Throws: `SpeculateError` when there is none, or its weights are missing or damaged.
  init(path: String) throws {
    let path = PublishedModel.named(path)?.file()?.path ?? path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw SpeculateError("\(path): there is no such folder or file; check the path")
    }
    let url = URL(filePath: path)
    if !isFolder.boolValue, GGUFFile.isMeant(by: url) {
      self = InspectReport(try GGUFFile(url: url), path: path)
      return
    }
    self.path = path
    let checkpoint: Checkpoint
    if isFolder.boolValue {
      checkpoint = try Checkpoint(directory: url)
      tokenizer = TokenizerLoader.files(in: url).first
      do {
        settings = try Self.settings(url)
        configuration = settings.reduce(into: [:]) { $0.merge($1.members) { first, _ in first } }
      } catch {
        configurationProblem = "\(error)"
      }
    } else {
      guard path.hasSuffix(".safetensors") || path.hasSuffix(".safetensors.zst") else {
        throw SpeculateError(
          "\(path): this is no file of weights; give a folder, or a .safetensors, "
            + ".safetensors.zst or .gguf file")
      }
      checkpoint = try Checkpoint(file: url)
    }
    files = checkpoint.files.map(\.lastPathComponent)
    metadata = checkpoint.metadata
    tensors = Self.sorted(checkpoint.names).map { name in
      Tensor(
        name: name, dtype: checkpoint.storedType(of: name)?.rawValue ?? "",
        shape: checkpoint.shape(of: name) ?? [],
        bytes: checkpoint.byteCount(of: name) ?? 0)
    }
    parameters = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    bytes = tensors.reduce(0) { $0 + $1.bytes }
    bytesByType = tensors.reduce(into: [:]) { $0[$1.dtype, default: 0] += $1.bytes }
  }

  /// Looks into a GGUF model.
  private init(_ file: GGUFFile, path: String) {
    self.path = path
    do {
      settings = try Self.settings(file)
      configuration = settings.reduce(into: [:]) { $0.merge($1.members) { first, _ in first } }
    } catch {
      configurationProblem = "\(error)"
    }
    tokenizer = file.metadata["tokenizer.ggml.model"]?.text
    files = file.files.map(\.lastPathComponent)
    metadata = file.metadata.compactMapValues(\.text).filter { $0.key.hasPrefix("general.") }
    tensors = Self.sorted(file.names).compactMap { name in
      file.tensor(name).map {
        Tensor(
          name: name, dtype: $0.type.name, shape: $0.shape, bytes: file.byteCount(of: name) ?? 0)
      }
    }
    parameters = tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    bytes = tensors.reduce(0) { $0 + $1.bytes }
    bytesByType = tensors.reduce(into: [:]) { $0[$1.dtype, default: 0] += $1.bytes }
  }

  /// Layer 10 after layer 9, not after layer 1.
  private static func sorted(_ names: [String]) -> [String] {
    names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
  }

  /// Whether it is a target's, and no drafter's or a part of a model.
  private var isTarget: Bool { settings.contains { $0.name == "vocabulary" } }

  /// Finds out whether it runs, and of a target what that takes and which drafters there are.
  mutating func complete(threads: Int) {
    guard !settings.isEmpty || configurationProblem != nil else { return }
    problem = configurationProblem
    let url = URL(filePath: path)
    if problem == nil {
      do {
        if isTarget {
          try completeTarget(url, threads: threads)
        } else if try AnswerTable.isMeant(by: url) {
          _ = try AnswerTable(directory: url)
        } else {
          try BlockDrafter.check(directory: url)
        }
      } catch {
        problem = "\(error)"
      }
    }
    runs = problem == nil
  }

  private mutating func completeTarget(_ url: URL, threads: Int) throws {
    // Of a file, `tokenizer` is what its metadata names.
    let hasTokenizer = GGUFFile.isMeant(by: url) ? tokenizer.map { $0 != "none" } : nil
    guard hasTokenizer ?? (tokenizer != nil) else {
      throw SpeculateError(
        "\(path): there is no tokenizer; "
          + (hasTokenizer == nil
            ? "copy the checkpoint's tokenizer.json or tokenizer.model there"
            : "convert the model again, with its tokenizer"))
    }
    let outline = try ModelOutline(directory: url)
    let loaded = try TokenizerLoader.load(directory: url)
    tokens = loaded.vocabularySize
    ends = loaded.endTokens(of: outline.configuration.endTokens, inChat: true).map { id in
      loaded.piece(of: id) ?? "\(id)"
    }
    prognosis = ModelPrognosis(outline, threads: threads)
    drafters = FittingDrafters.find(for: url).map(\.path)
    context = outline.configuration.maximumContext
  }

  /// What the rows about running say.
  private var runRows: [Setting] {
    guard let runs else { return [] }
    var rows = [
      Setting("runs", runs ? "yes" : "no: \(problem ?? "")")
    ]
    if let prognosis { rows += prognosis.settings(context: context) }
    if let drafters {
      rows.append(
        Setting(
          "drafters", drafters.isEmpty ? "none found" : drafters.joined(separator: ", "), [:]))
    }
    return rows
  }

  private var tokenizerText: String {
    guard let tokenizer, let tokens else { return tokenizer ?? "none" }
    let spelled = ends.isEmpty ? "none" : ends.map(quoted).joined(separator: ", ")
    return "\(tokenizer), \(Figures.count(tokens)) tokens, ends \(spelled)"
  }

  /// What a person reads.
  func lines(tensors showsTensors: Bool) -> [String] {
    var rows = [Setting("path", path)] + settings
    if let configurationProblem {
      rows.append(Setting("configuration", "not usable: \(configurationProblem)"))
    }
    if !settings.isEmpty || configurationProblem != nil {
      rows.append(Setting("tokenizer", tokenizerText))
    }
    rows += runRows
    rows.append(Setting("weights", files.joined(separator: ", ")))
    rows += metadata.sorted { $0.key < $1.key }.map {
      Setting("metadata", "\(quoted($0.key)): \(quoted($0.value))")
    }
    let types = bytesByType.sorted { $0.key < $1.key }
      .map { "\($0.key) \(Self.mebibytes($0.value)) MiB" }.joined(separator: ", ")
    let sum =
      "\(Figures.count(tensors.count)) \(tensors.count == 1 ? "tensor" : "tensors"), "
      + "\(Figures.count(parameters)) parameters, \(Self.mebibytes(bytes)) MiB"
      + (types.isEmpty ? "" : " (\(types))")
    rows.append(Setting("holds", sum))
    let table = TextTable.lines(
      ["tensor", "dtype", "shape", "MiB"],
      tensors.map { [Self.plain($0.name), $0.dtype, "\($0.shape)", Self.mebibytes($0.bytes)] },
      names: 3)
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { $0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.value }
      + (showsTensors ? [""] + table : [])
  }

  /// A name as it is, unless it would break the table.
  private static func plain(_ name: String) -> String {
    let text = quoted(name)
    return text == "\"\(name)\"" ? name : text
  }

  private static func mebibytes(_ bytes: Int) -> String {
    Figures.fixed(Double(bytes) / 1_048_576, 2)
  }
}
