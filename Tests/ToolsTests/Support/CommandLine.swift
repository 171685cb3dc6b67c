import Foundation
import Testing

/// Runs the built `speculate` as a person would, and keeps what it said.
struct CommandResult {
  var status: Int32
  var output: String
  var errors: String

  /// The last line of standard output.
  var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
}

/// A process of `speculate`, or of another program of the package.
final class CommandProcess {
  /// The programs lie beside this test bundle.
  static let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  private let process = Process()
  private let folder: URL
  private let outputFile: URL
  private let errorFile: URL

  /// Starts a program with some arguments.
  ///
  /// Output goes to files, so that no pipe can fill up.
  ///
  /// - Parameter program: A program of the package, or the path of any other.
  init(
    _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
    current: URL? = nil, program: String = "speculate"
  ) throws {
    folder = try temporaryFolder()
    outputFile = folder.appending(path: "output")
    errorFile = folder.appending(path: "errors")
    let inputFile = folder.appending(path: "input")
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    try Data((input ?? "").utf8).write(to: inputFile)
    process.executableURL =
      program.hasPrefix("/")
      ? URL(filePath: program) : Self.programs.appending(path: program)
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    var variables = ProcessInfo.processInfo.environment
    variables["SPECULATE_WEIGHTS"] = nil
    variables["COLUMNS"] = "100"
    variables["XDG_CACHE_HOME"] = folder.appending(path: "cache").path
    process.environment = variables.merging(environment) { $1 }
    process.currentDirectoryURL = current ?? folder
    try process.run()
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// What standard output holds so far.
  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }

  /// What standard error holds so far.
  var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  /// Sends Ctrl-C, or another signal.
  func interrupt(_ signal: Int32 = SIGINT) {
    _ = Foundation.kill(process.processIdentifier, signal)
  }

  var isRunning: Bool { process.isRunning }
  var id: Int32 { process.processIdentifier }

  /// Ends it at once, as a power failure would.
  func kill() { _ = Foundation.kill(process.processIdentifier, SIGKILL) }

  /// Waits for the end.
  func wait() throws -> CommandResult {
    process.waitUntilExit()
    // A process that a signal ended has no exit code of its own.
    let killed = process.terminationReason == .uncaughtSignal
    return CommandResult(
      status: killed ? -process.terminationStatus : process.terminationStatus,
      output: try String(contentsOf: outputFile, encoding: .utf8),
      errors: try String(contentsOf: errorFile, encoding: .utf8))
  }
}

/// Runs `speculate` to its end.
func speculate(
  _ arguments: String..., input: String? = nil, environment: [String: String] = [:],
  current: URL? = nil
) throws -> CommandResult {
  try CommandProcess(arguments, input: input, environment: environment, current: current).wait()
}

/// A new empty folder.
func temporaryFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "speculate-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// Runs a shell script in which `speculate` is the built program.
func shell(
  _ script: String, environment: [String: String] = [:], current: URL? = nil
) throws -> CommandResult {
  let program = CommandProcess.programs.appending(path: "speculate").path
  return try CommandProcess(
    ["-c", "speculate() { '\(program)' \"$@\"; }\n\(script)"], environment: environment,
    current: current, program: "/bin/bash"
  ).wait()
}

/// Arguments with some options given anew.
func overriding(_ arguments: [String], _ options: [String]) -> [String] {
  var kept: [String] = []
  var rest = arguments[...]
  while let word = rest.popFirst() {
    if word.hasPrefix("--"), options.contains(word) {
      rest = rest.dropFirst()
    } else {
      kept.append(word)
    }
  }
  return kept + options
}
