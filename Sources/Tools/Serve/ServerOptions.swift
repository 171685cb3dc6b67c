import ArgumentParser
import Files
import Foundation
import Server
import Speculate

/// Where the server listens, whom it answers, and how much it takes.
struct ServerOptions: ParsableArguments {
  @Option("The address to listen on; 0.0.0.0 takes requests from other machines.", value: "address")
  var host = "127.0.0.1"
  @Option("The port to listen on; 0 takes a free one.", value: "n") var port = 8080
  @Option("What clients call the model. (default: the folder's name)", value: "name")
  var modelName: String?
  @Option(
    """
    Take only requests with this key, as 'Authorization: Bearer KEY'; others of this machine can see it in \
    the list of processes. (default: $SPECULATE_API_KEY, or no key)
    """, value: "key", parsing: .unconditional)
  var apiKey: String?
  @Option("The same with keys out of a file, one a line.", value: "file") var apiKeyFile: String?
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Let web pages of this origin ask, or of any with '*'; may be given several times.",
      valueName: "origin"))
  var corsOrigin: [String] = []
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Answer requests that call the server by this name, or by any with '*'; may be given several times. "
        + "(default: on loopback names of this machine only, elsewhere any)", valueName: "name"))
  var allowedHosts: [String] = []
  @Option("Bytes of a request's body at most.", value: "n") var maxBody = 8 << 20
  @Option("Seconds within which a request's body has to come.", value: "s") var bodyTimeout = 30.0
  @Option("Seconds that an answer may take.", value: "s") var answerTimeout = 600.0
  @Option("Seconds that a connection may stay without a request.", value: "s") var idleTimeout =
    75.0
  @Option("Seconds that running answers have to end when the server leaves.", value: "s")
  var drainTimeout = 30.0
  @Option("Connections at a time; more wait for one to end.", value: "n") var maxConnections = 1024
  @Flag(help: "Write what was asked to the log too.") var logPrompts = false
  @Flag(help: "Write the log as JSON, one object a line.") var json = false

  var limits: ServerLimits {
    ServerLimits(
      body: maxBody, bodySeconds: bodyTimeout, answerSeconds: answerTimeout,
      idleSeconds: idleTimeout, connections: maxConnections)
  }

  func validate() throws {
    try OptionCheck.range("--port", port, 0...65535)
    try OptionCheck.atLeast(1, ("--max-body", maxBody), ("--max-connections", maxConnections))
    for (option, value) in [
      ("--body-timeout", bodyTimeout), ("--answer-timeout", answerTimeout),
      ("--idle-timeout", idleTimeout), ("--drain-timeout", drainTimeout),
    ] {
      try OptionCheck.aboveZero(option, value)
      try OptionCheck.range(option, value, 0...1e6)
    }
    if apiKey != nil && apiKeyFile != nil {
      throw ValidationError("--api-key and --api-key-file both name keys: give one of them")
    }
  }

  /// The keys that requests may be signed with, none for everybody.
  ///
  /// - Throws: `SpeculateError` when a file of keys can't be read, or holds none.
  func keys() throws -> [String] {
    if let apiKey { return [try Self.checked(apiKey, "--api-key")] }
    if let apiKeyFile {
      let text: String
      do {
        text = try String(contentsOfFile: apiKeyFile, encoding: .utf8)
      } catch {
        throw SpeculateError("--api-key-file \(apiKeyFile): \(systemReason(error))")
      }
      let keys = try text.split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        .map { try Self.checked($0, "--api-key-file \(apiKeyFile)") }
      guard !keys.isEmpty else {
        throw SpeculateError("--api-key-file \(apiKeyFile) holds no key: write one a line")
      }
      return keys
    }
    let variable = "SPECULATE_API_KEY"
    guard let key = ProcessInfo.processInfo.environment[variable], !key.isEmpty else { return [] }
    return [try Self.checked(key, variable)]
  }

  private static func checked(_ key: String, _ source: String) throws -> String {
    guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw SpeculateError(
        "\(source) holds a key that no header can: use letters, digits and signs")
    }
    return key
  }
}

/// How much is taken on at once.
struct BatchOptions: ParsableArguments {
  @Option("Requests that share rounds at most.", value: "n") var maxSequences = 16
  @Option("Requests that wait at most; more are refused.", value: "n") var maxQueue = 256
  @Option(
    "Megabytes for keys and values. (default: a quarter of the memory that is free)", value: "n")
  var kvMemory: Int?
  @Option("Tokens of a prompt at most. (default: as many as the context holds)", value: "n")
  var maxPrompt: Int?
  @Flag(
    inversion: .prefixedNo, exclusivity: .exclusive,
    help: "Keep what was computed of prompts for others that begin alike. (default: yes)")
  var prefixCache: Bool?

  var settings: BatchSettings {
    BatchSettings(
      maximumSequences: maxSequences, keyValueMemory: kvMemory.map { $0 << 20 },
      cachesPrefixes: prefixCache ?? true, queueLimit: maxQueue)
  }

  func validate() throws {
    try OptionCheck.range("--max-sequences", maxSequences, 1...1024)
    try OptionCheck.range("--max-queue", maxQueue, 0...1_000_000)
    try OptionCheck.atLeast(1, ("--kv-memory", kvMemory), ("--max-prompt", maxPrompt))
  }
}
