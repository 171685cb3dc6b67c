import Foundation
import Testing

/// How a command ends that can't do its work, whatever is in its way.
@Suite struct FailureTests {
  private func line(_ result: CommandResult) -> String {
    #expect(result.errors.hasPrefix("error: ") && result.errors.hasSuffix("\n"))
    let line = result.errors.dropLast()
    #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(line)")
    #expect(line.unicodeScalars.count <= 620, "\(line.count)")
    return String(line)
  }

  /// An error that has nowhere to go is no trap.
  @Test(arguments: [
    "speculate inspect /nowhere 2> /dev/full", "speculate inspect /nowhere 2>&-",
    "ulimit -f 0; speculate inspect /nowhere 2> errors", "speculate --nonsense 2> /dev/full",
    "speculate --help > /dev/full", "ulimit -f 0; speculate --version > output 2> errors",
  ])
  func aFullErrorStreamIsNoTrap(script: String) throws {
    let result = try shell(script)
    #expect(result.status == 1 || result.status == 64, "\(result.status): \(result.errors)")
  }

  @Test(arguments: ["0", "1", "2", "8", "32"])
  func aLimitOnFilesIsAnError(blocks: String) throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let (target, drafter) = (pair.target.path, pair.drafter.path)
    let prompts = try pair.promptFlags()[3]
    let commands = [
      "generate --target '\(target)' --drafter '\(drafter)' --prompt-file '\(prompts)' --max-tokens 40 "
        + "--trace out.jsonl",
      "convert '\(target)' converted --weights int8",
      "distill data --target '\(target)' --data '\(prompts)' --responses 20 --longest-prompt 20 "
        + "--response-length 20 --output answers",
      "analyze run --target '\(target)' --drafter suffix --prompts '\(prompts)' --max-tokens 20 "
        + "--trace run.jsonl",
    ]
    for command in commands {
      // Output to files, too, so that nothing at all can be said at 0.
      let result = try shell("ulimit -f \(blocks); speculate \(command) > output 2> errors")
      #expect([0, 1].contains(result.status), "\(command): \(result.status)")
    }
  }

  /// So few open files that not even the command line can be read: no success that did nothing.
  @Test(arguments: 3...7)
  func aLimitOnOpenFilesIsAnError(files: Int) throws {
    let result = try shell("ulimit -n \(files); speculate inspect /nowhere > /dev/null")
    #expect(result.status != 0, "\(files): \(result.errors)")
  }

  /// Memory for the libraries, and hardly any for work: neither success nor a trap. (At 127 the libraries
  /// don't load.)
  @Test func aLimitOnMemoryIsAnError() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let (target, drafter) = (pair.target.path, pair.drafter.path)
    let result = try shell(
      """
      for limit in $(seq 124000 500 146000); do
        (ulimit -v $limit; speculate generate --target '\(target)' --drafter '\(drafter)' --prompt abc \
          --max-tokens 60 --threads 1 > /dev/null 2> errors)
        echo $? $limit $(tail -n 1 errors)
      done
      """)
    let ends = result.output.split(separator: "\n")
    #expect(ends.count == 45)
    for end in ends {
      let isError = end.hasPrefix("1 ") && end.contains("error: ")
      #expect(isError || end.hasPrefix("0 ") || end.hasPrefix("127 "), "\(end)")
    }
  }

  @Test(arguments: [
    ["generate", "--seed", "\u{1B}[31m", "--prompt", "a"], ["inspect", "\u{1B}[31m\u{202E}"],
    ["generate", "--target", "\u{9B}2J", "--prompt", "a"],
    ["pretrain", "--rope-theta", String(repeating: "a", count: 5000)],
    ["convert", String(repeating: "b", count: 5000), "out", "--weights", "int8"],
    ["--\u{1B}[2J"],
  ])
  func argumentsAreShownAsText(arguments: [String]) throws {
    let result = try CommandProcess(arguments).wait()
    #expect(result.status == 1 || result.status == 64)
    #expect(line(result).contains(" … ") == (arguments.joined().count > 1000))
  }

  @Test func filesAreShownAsText() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let target = pair.target.path
    try pair.addChatTemplate()
    let template = pair.target.appending(path: "chat_template.jinja")
    try Data("{{ \u{1B}[31m }}".utf8).write(to: template)
    let chat = try speculate(
      "generate", "--target", target, "--drafter", "none", "--chat", "--prompt", "a")
    #expect(chat.status == 1 && line(chat).contains("\\u{1b}"), "\(chat.errors)")
    try FileManager.default.removeItem(at: template)
    // A shape with thousands of entries.
    let weights = pair.target.appending(path: "model.safetensors")
    let shape = [String](repeating: "1", count: 3000).joined(separator: ",")
    let header = "{\"x\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[0,8]}}"
    try
      (withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      + Data(header.utf8) + Data(count: 8)).write(to: weights)
    let long = try speculate("inspect", target)
    #expect(long.status == 1 && line(long).contains(" … "), "\(long.errors)")
    #expect(line(long).hasSuffix("download or convert it again"))
    let configuration = pair.drafter.appending(path: "config.json")
    let text = try String(contentsOf: configuration, encoding: .utf8)
    try Data(text.replacing("DFlashDraftModel", with: "\\u001b[2J").utf8).write(to: configuration)
    let other = try speculate("inspect", pair.drafter.path)
    #expect(other.errors.isEmpty || line(other).contains("\\u{1b}[2J"), "\(other.errors)")
  }

  /// Libraries wait for their threads at the end of a process, for ever where memory is short.
  @Test func littleMemoryHangsNothing() throws {
    for mebibytes in stride(from: 140, through: 340, by: 20) {
      let result = try shell(
        "ulimit -v \(mebibytes << 10); timeout -s KILL 60 '\(CommandProcess.programs.path)/speculate' "
          + "--version")
      #expect(result.status != 137 && result.status != -9, "\(mebibytes) MiB")
    }
  }
}
