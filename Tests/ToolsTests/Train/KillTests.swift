import Files
import Foundation
import Testing

/// Training that is killed at any moment and started again ends bit for bit as if it had not been.
@Suite(.serialized) struct KillTests {
  /// Documents of letters as JSON lines.
  private static func text(_ seed: UInt64) -> Data {
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let lines = (0..<60).map { _ in
      let text = String(
        (0..<120).map { _ in
          Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(next() % 3 * (next() % 9))))
        })
      return #"{"text":"\#(text)"}"#
    }
    return Data(lines.joined(separator: "\n").utf8)
  }

  private func expectSame(
    _ arguments: [String], writes files: [String], in folder: URL
  ) throws {
    let whole = folder.appending(path: "whole").path
    let start = Date()
    let reference = try CommandProcess(arguments + ["--output", whole]).wait()
    #expect(reference.status == 0, "\(reference.errors)")
    let duration = Date().timeIntervalSince(start)

    let parts = folder.appending(path: "parts").path
    var (killed, tries) = (0, 0)
    while killed < 10 && tries < 100 {
      tries += 1
      let process = try CommandProcess(arguments + ["--output", parts])
      usleep(UInt32(Double.random(in: 0.02...0.3) * duration * 1e6))
      process.kill()
      let result = try process.wait()
      #expect(result.status == 0 || result.status == -SIGKILL, "\(result.errors)")
      if result.status == 0 {
        try FileManager.default.removeItem(atPath: parts)
      } else {
        killed += 1
      }
    }
    #expect(killed == 10, "\(killed) kills in runs of \(duration) s")
    let last = try CommandProcess(arguments + ["--output", parts]).wait()
    #expect(last.status == 0, "\(last.errors)")
    for file in files {
      #expect(
        try Data(contentsOf: URL(filePath: "\(whole)/\(file)"))
          == Data(contentsOf: URL(filePath: "\(parts)/\(file)")), "\(file)")
    }
    #expect(try tensors(whole) == tensors(parts))
  }

  /// Every value of the checkpoint; its header knows the seconds, too.
  private func tensors(_ folder: String) throws -> [String: Data] {
    let file = try Checkpoint(file: URL(filePath: "\(folder)/checkpoint.safetensors"))
    return try Dictionary(
      uniqueKeysWithValues: file.names.map { name in
        (name, try file.withBytes(of: name) { Data($0) })
      })
  }

  /// The other kind of drafter, killed in both of its stages.
  @Test func distillationFromTokensSurvivesKills() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let data = pair.folder.appending(path: "data.jsonl")
    try Self.text(3).write(to: data)
    try expectSame(
      [
        "distill", "--target", pair.target.path, "--data", data.path, "--heldout", data.path,
        "--responses", "80", "--shortest-prompt", "4", "--longest-prompt", "20",
        "--response-length", "60", "--kind", "tokens", "--layers", "2", "--block-size", "6",
        "--mask-token", "\(TinyTokenizer.mask)", "--draft-vocabulary", "100", "--markov-rank", "4",
        "--own-embedding", "--steps", "400", "--refinement-steps", "200", "--anchors", "8",
        "--batch", "4", "--evaluate-every", "150", "--evaluation-length", "40",
        "--checkpoint-seconds", "0.02", "--threads", "1", "--precision", "f32",
      ], writes: ["model.safetensors", "config.json"], in: pair.folder)
  }

  @Test func distillationSurvivesKills() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let data = pair.folder.appending(path: "data.jsonl")
    try Self.text(1).write(to: data)
    try expectSame(
      [
        "distill", "--target", pair.target.path, "--data", data.path, "--heldout", data.path,
        "--responses", "200", "--shortest-prompt", "4", "--longest-prompt", "20",
        "--response-length", "60", "--layers", "1", "--block-size", "4", "--mask-token",
        "\(TinyTokenizer.mask)", "--draft-vocabulary", "100", "--markov-rank", "4", "--steps",
        "400",
        "--anchors", "8", "--batch", "4", "--evaluate-every", "150", "--evaluation-length", "40",
        "--checkpoint-seconds", "0.02", "--divergence", "0.5", "--save-best",
        "--threads", "1", "--precision", "bf16",
      ],
      writes: [
        "responses/manifest.json", "responses/0000000.responses.zst",
        "heldout-responses/manifest.json", "model.safetensors", "config.json",
        "best/model.safetensors", "best/config.json", "samples.json",
      ],
      in: pair.folder)
  }

  @Test func forcingSurvivesKills() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let data = pair.folder.appending(path: "data.jsonl")
    try Self.text(3).write(to: data)
    try expectSame(
      [
        "force", "--target", pair.target.path, "--data", data.path, "--heldout", data.path,
        "--responses", "60", "--shortest-prompt", "4", "--longest-prompt", "20",
        "--response-length", "60", "--block", "4", "--window", "6", "--steps", "150", "--batch",
        "4", "--evaluate-every", "50", "--evaluation-tokens", "200", "--evaluation-prompts", "2",
        "--evaluation-length", "20", "--checkpoint-seconds", "0.02", "--divergence", "0.5",
        "--threads", "1", "--precision", "bf16",
      ],
      writes: [
        "responses/manifest.json", "trajectories-4/manifest.json",
        "trajectories-4/0000000.trajectories.zst", "model.safetensors", "config.json",
      ],
      in: pair.folder)
  }

  @Test func pretrainingSurvivesKills() throws {
    let pair = try TinyPair()
    defer { pair.remove() }
    let data = pair.folder.appending(path: "data.jsonl")
    try Self.text(2).write(to: data)
    try expectSame(
      [
        "pretrain", "--data", data.path, "--heldout-data", data.path, "--tokenizer",
        pair.target.appending(path: "tokenizer.model").path, "--vocabulary",
        "\(TinyTokenizer.vocabulary)", "--hidden", "32", "--intermediate", "64", "--layers", "2",
        "--heads", "2", "--kv-heads", "1", "--head-dim", "16", "--context", "128", "--length", "32",
        "--batch", "4", "--steps", "400", "--evaluate-every", "150", "--evaluation-batch", "4",
        "--checkpoint-seconds", "0.02", "--threads", "1", "--precision", "f32",
      ], writes: ["model.safetensors", "config.json"], in: pair.folder)
  }
}
