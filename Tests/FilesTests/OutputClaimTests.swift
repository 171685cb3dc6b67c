import Files
import Foundation
import Testing

@Suite struct OutputClaimTests {
  private let root = FileManager.default.temporaryDirectory
    .appendingPathComponent("claims-\(UUID().uuidString)")
  private let job = OutputClaim.Job("distill", settings: ["seed": "1"])

  init() throws {
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
  }

  private func made(_ path: String, _ text: String = "x") throws -> URL {
    let url = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url
  }

  private func refusal(_ folder: URL, _ job: OutputClaim.Job, _ inputs: [OutputClaim.Input] = [])
    -> String
  {
    do {
      _ = try OutputClaim(folder: folder, for: job, apartFrom: inputs)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func aFolderIsClaimedOnceAndAgainLater() throws {
    let folder = root.appendingPathComponent("a/b")
    let claim = try OutputClaim(folder: folder, for: job)
    #expect(
      refusal(folder, job)
        == "\(folder.path): process \(getpid()) is writing it; wait for that one "
        + "or give another ‘output’"
    )
    withExtendedLifetime(claim) {}
  }

  @Test func theJobThatBeganGoesOnAndNoOtherDoes() throws {
    let folder = root.appendingPathComponent("out")
    _ = try OutputClaim(folder: folder, for: job)
    _ = try made("out/model.safetensors")
    #expect(refusal(folder, job) == "")
    #expect(
      refusal(folder, .init("force")).contains("out was begun by 'distill': give another ‘output’"))
    #expect(
      refusal(folder, .init("distill", settings: ["seed": "2"]))
        .contains("begun with another ‘seed’ (1): give it again, or another ‘output’"))
    #expect(
      refusal(folder, .init("distill", settings: ["seed": "1", "width": "8"]))
        == "\(folder.path) was begun without ‘width’: leave it out, or give another ‘output’")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == [OutputClaim.marker, "model.safetensors"])
  }

  @Test func fingerprintsAreComparedAndNotShown() throws {
    let folder = root.appendingPathComponent("prints")
    func job(_ print: UInt64) -> OutputClaim.Job {
      .init("force", settings: ["target": OutputClaim.Job.fingerprint(print)])
    }
    _ = try OutputClaim(folder: folder, for: job(5))
    #expect(refusal(folder, job(5)) == "")
    #expect(
      refusal(folder, job(6))
        == "\(folder.path) was begun with another ‘target’: give it again, or another ‘output’")
    // Who began without settings may have had any.
    let old = root.appendingPathComponent("old")
    _ = try OutputClaim(folder: old, for: .init("force"))
    #expect(
      refusal(old, job(5))
        == "\(old.path) was begun by an earlier version, which noted no settings: give another ‘output’"
    )
  }

  @Test func anotherFolderIsRefusedAsItStands() throws {
    for name in ["config.json", "b", "c", "d"] { _ = try made("foreign/\(name)") }
    let folder = root.appendingPathComponent("foreign")
    #expect(
      refusal(folder, job).contains(
        "holds \"b\", \"c\", \"config.json\" and more, which 'distill' didn't begin"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 4)
    let damaged = try made("damaged/\(OutputClaim.marker)", "{")
    #expect(refusal(damaged.deletingLastPathComponent(), job).contains("is damaged"))
  }

  @Test func inputsAreNeverWrittenTo() throws {
    let model = try made("model/config.json").deletingLastPathComponent()
    let link = root.appendingPathComponent("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: model)
    let inputs = [OutputClaim.Input("target", model)]
    for (folder, relation) in [
      (model, "is"), (link, "is"), (root, "holds"),
      (model.appendingPathComponent("a/b"), "lies in"),
      (link.appendingPathComponent("new"), "lies in"),
      (model.appendingPathComponent("x/../../model"), "is"),
    ] {
      #expect(refusal(folder, job, inputs).contains("\(relation) the ‘target’ \(model.path)"))
    }
    #expect(refusal(root.appendingPathComponent("beside"), job, inputs) == "")
    #expect(throws: SpeculateError.self) {
      try OutputClaim(
        file: root.appendingPathComponent("link/config.json"),
        apartFrom: [.init("prompts", model.appendingPathComponent("config.json"))])
    }
  }

  @Test func aLockOfADeadProcessIsTakenOver() throws {
    let trace = root.appendingPathComponent("t.jsonl")
    _ = try made(".t.jsonl.lock", "1\n")
    _ = try made(".t.jsonl.4f0.tmp")
    let other = try made(".u.jsonl.4f0.tmp")
    let claim = try OutputClaim(file: trace)
    #expect(throws: SpeculateError.self) { try OutputClaim(file: trace) }
    withExtendedLifetime(claim) {}
    let names = try FileManager.default.contentsOfDirectory(atPath: root.path)
    #expect(!names.contains(".t.jsonl.4f0.tmp"))
    #expect(names.contains(other.lastPathComponent))
  }

  @Test func whatAnotherWriterHasOpenStays() throws {
    let folder = root.appendingPathComponent("out")
    _ = try OutputClaim(folder: folder, for: job)
    let writer = try AtomicFileWriter(url: folder.appendingPathComponent("a.bin"))
    _ = try made("out/.b.bin.1.tmp")
    _ = try OutputClaim(folder: folder, for: job)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.filter { $0.hasSuffix(".tmp") }.count == 1)
    try writer.commit()
    #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("a.bin").path))
  }
}
