import Files
import Foundation
import TestSupport
import Testing

/// What ranks make beside trainings, against one process.
extension MPITests {
  /// The bytes of all files in a folder by their paths within it, locks left out.
  private func files(_ folder: URL) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return try Dictionary(
      uniqueKeysWithValues: names.compactMap { name in
        let url = folder.appending(path: name)
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        return isFolder.boolValue || name.hasSuffix(".lock")
          ? nil : (name, try Data(contentsOf: url))
      })
  }

  @Test(arguments: [
    [
      "distill", "data", "--temperature", "0.7", "--responses", "70", "--store-taps", "0,1",
      "--store-log-probabilities", "4",
    ],
    ["force", "data", "--responses", "30", "--block", "4"],
  ])
  func `folders of shards are one process's`(command: [String]) throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    let arguments =
      command + [
        "--target", pair.target.path, "--data", pair.folder.appending(path: "data.jsonl").path,
        "--shortest-prompt", "4", "--longest-prompt", "20", "--response-length", "30",
        "--threads", "1",
      ]
    let one = pair.folder.appending(path: "one")
    let alone = try CommandProcess(arguments + ["--output", one.path]).wait()
    #expect(alone.status == 0, "\(alone.errors)")
    let expected = try files(one)
    #expect(expected.keys.contains { $0.hasSuffix(".zst") })
    for ranks in 2...4 {
      let output = pair.folder.appending(path: "ranks\(ranks)")
      let job = try MPIJob(ranks, arguments + ["--output", output.path]).wait()
      #expect(job.status == 0, "\(job.errors)")
      #expect(try files(output) == expected, "\(ranks) ranks")
    }
  }

  /// All but times, and the machine and costs in the header.
  @Test func `a trace is one process's but for its times`() throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    func lines(_ trace: URL) throws -> [String] {
      try String(contentsOf: trace, encoding: .utf8).split(separator: "\n").dropFirst().map {
        String($0).replacing(/,"us":\{[^}]*\}/, with: "")
          .replacing(/"prefill_us":[0-9.]+/, with: "")
      }
    }
    let arguments = [
      "analyze", "run", "--target", pair.target.path, "--drafter", pair.drafter.path, "--prompts",
      pair.folder.appending(path: "data.jsonl").path, "--prompt-tokens", "20", "--sample", "7",
      "--max-tokens", "24", "--draft-length", "4", "--suffix", "off", "--temperature", "0", "0.8",
      "--threads", "1",
    ]
    let one = pair.folder.appending(path: "one.jsonl")
    let alone = try CommandProcess(arguments + ["--trace", one.path]).wait()
    #expect(alone.status == 0, "\(alone.errors)")
    let expected = try lines(one)
    #expect(expected.count { $0.contains(#""kind":"unit""#) } == 7)
    for ranks in 2...4 {
      let trace = pair.folder.appending(path: "ranks\(ranks).jsonl")
      let job = try MPIJob(ranks, arguments + ["--trace", trace.path]).wait()
      #expect(job.status == 0, "\(job.errors)")
      #expect(try lines(trace) == expected, "\(ranks) ranks")
    }
  }
}
