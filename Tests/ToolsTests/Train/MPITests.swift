import Files
import Foundation
import TestSupport
import Testing

/// Jobs that mpirun starts, against one process.
///
/// The sums themselves are tested without MPI, by `RankTests`, which run everywhere.
@Suite(
  .serialized,
  .enabled("Open MPI isn't here: make setup-mpi") { MPIJob.program != nil })
struct MPITests {
  /// A kind of training, and what its options are for a tiny pair.
  struct Kind: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var options: [String]
    /// What is compared beside the checkpoint.
    var files: [String]
  }

  static let kinds = [
    Kind(
      testDescription: "pretrain",
      options: [
        "pretrain", "--tokens", "DATA.u16", "--heldout-tokens", "DATA.u16", "--vocabulary", "261",
        "--hidden", "32", "--intermediate", "64", "--layers", "2", "--heads", "2", "--kv-heads",
        "1", "--head-dim", "16", "--context", "128", "--length", "32", "--evaluation-batch", "4",
      ], files: ["model.safetensors"]),
    Kind(
      testDescription: "distill",
      options: [
        "distill", "--target", "TARGET", "--data", "DATA.jsonl", "--heldout", "DATA.jsonl",
        "--responses", "40", "--shortest-prompt", "4", "--longest-prompt", "20",
        "--response-length", "40", "--layers", "1", "--block-size", "4", "--mask-token", "3",
        "--draft-vocabulary", "100", "--markov-rank", "4", "--anchors", "8", "--divergence", "0.5",
        "--evaluation-length", "20", "--evaluation-prompts", "3", "--save-best",
      ],
      files: [
        "model.safetensors", "best/model.safetensors", "samples.json",
        "responses/0000000.responses.zst", "responses/manifest.json",
      ]),
    Kind(
      testDescription: "force",
      options: [
        "force", "--target", "TARGET", "--data", "DATA.jsonl", "--heldout", "DATA.jsonl",
        "--responses", "30", "--shortest-prompt", "4", "--longest-prompt", "20",
        "--response-length", "40", "--block", "4", "--window", "6", "--divergence", "0.5",
        "--evaluation-tokens", "200", "--evaluation-prompts", "2", "--evaluation-length", "20",
      ],
      files: [
        "model.safetensors", "trajectories-4/0000000.trajectories.zst",
        "trajectories-4/manifest.json",
      ]),
  ]

  /// How often a job is killed and goes on; MPI_KILLS=10 for more.
  static let kills = max(ProcessInfo.processInfo.environment["MPI_KILLS"].flatMap(Int.init) ?? 4, 1)

  /// A tiny pair, and text beside it.
  static func pair() throws -> TinyPair {
    let pair = try TinyPair()
    var state: UInt64 = 5
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let lines = (0..<60).map { _ in
      let text = String(
        (0..<120).map { _ in Character(UnicodeScalar(UInt8(97 + next() % 3 * (next() % 9)))) })
      return #"{"text":"\#(text)"}"#
    }
    try Data(lines.joined(separator: "\n").utf8)
      .write(to: pair.folder.appending(path: "data.jsonl"))
    var tokens = Data()
    for _ in 0..<6000 { tokens.append(contentsOf: [UInt8(5 + next() % 200), 0]) }
    try tokens.write(to: pair.folder.appending(path: "data.u16"))
    return pair
  }

  private func arguments(_ kind: Kind, _ pair: TinyPair, steps: Int = 50) -> [String] {
    kind.options.map {
      $0.replacing("TARGET", with: pair.target.path)
        .replacing("DATA", with: pair.folder.appending(path: "data").path)
    } + [
      "--steps", "\(steps)", "--batch", "5", "--lanes", "4", "--evaluate-every", "20",
      "--checkpoint-seconds", "0.02", "--threads", "1", "--precision", "f32",
    ]
  }

  /// Every value of the checkpoint; its header knows the seconds, too.
  private func expectSame(_ first: URL, _ second: URL, _ kind: Kind, _ what: String) throws {
    func tensors(_ folder: URL) throws -> [String: Data] {
      let file = try Checkpoint(file: folder.appending(path: "checkpoint.safetensors"))
      return try Dictionary(
        uniqueKeysWithValues: file.names.map { name in
          (name, try file.withBytes(of: name) { Data($0) })
        })
    }
    #expect(try tensors(first) == tensors(second), "\(what)")
    for file in kind.files {
      #expect(
        try Data(contentsOf: first.appending(path: file))
          == Data(contentsOf: second.appending(path: file)), "\(what): \(file)")
    }
  }

  @Test(arguments: kinds)
  func `any number of ranks gives one process's bits`(kind: Kind) throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    let one = pair.folder.appending(path: "one")
    let alone = try CommandProcess(arguments(kind, pair) + ["--output", one.path]).wait()
    #expect(alone.status == 0, "\(alone.errors)")
    for ranks in 1...4 {
      let output = pair.folder.appending(path: "ranks\(ranks)")
      let job = try MPIJob(ranks, arguments(kind, pair) + ["--output", output.path]).wait()
      #expect(job.status == 0, "\(job.errors)")
      // One rank talks.
      #expect(job.errors.ranges(of: "50/50 steps").count == 1, "\(job.errors)")
      try expectSame(one, output, kind, "\(ranks) ranks")
    }
  }

  @Test(arguments: kinds)
  func `a job that is killed goes on with another number of ranks`(kind: Kind) throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    let (one, parts) = (
      pair.folder.appending(path: "one"), pair.folder.appending(path: "parts")
    )
    let steps = 50 * Self.kills
    let alone = try CommandProcess(arguments(kind, pair, steps: steps) + ["--output", one.path])
      .wait()
    #expect(alone.status == 0, "\(alone.errors)")
    let checkpoint = parts.appending(path: "checkpoint.safetensors").path
    func written() -> Date? {
      (try? FileManager.default.attributesOfItem(atPath: checkpoint))?[.modificationDate] as? Date
    }
    var killed = 0
    for number in 0..<Self.kills {
      let before = written()
      let job = try MPIJob(
        [2, 4, 1, 3][number % 4], arguments(kind, pair, steps: steps) + ["--output", parts.path])
      while job.isRunning, written() == before { usleep(5000) }
      usleep(.random(in: 0...100_000))
      // Any of the ranks dies.
      if let rank = job.ranks.randomElement() { _ = kill(rank, SIGKILL) }
      if try job.wait().status == 0 { break }  // it was done first
      killed += 1
    }
    #expect(killed > 0)
    if Self.kills > 4 { print("\(kind.testDescription): \(killed) kills in \(steps) steps") }
    let last = try MPIJob(3, arguments(kind, pair, steps: steps) + ["--output", parts.path]).wait()
    #expect(last.status == 0, "\(last.errors)")
    try expectSame(one, parts, kind, "after kills")
  }

  @Test func `a rank that dies ends all, and the last checkpoint is named`() throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    let output = pair.folder.appending(path: "run")
    let checkpoint = output.appending(path: "checkpoint.safetensors")
    let job = try MPIJob(
      3, arguments(Self.kinds[0], pair, steps: 100_000) + ["--output", output.path])
    while !FileManager.default.fileExists(atPath: checkpoint.path) {
      try #require(job.isRunning)
      usleep(20_000)
    }
    // Rank 0 writes, so it is one of the others that dies.
    let victim = try #require(job.ranks.first { MPIJob.rank(of: $0) == 2 })
    _ = kill(victim, SIGKILL)
    let result = try job.wait()
    #expect(result.status != 0)
    let line = try #require(
      result.errors.split(separator: "\n").first { $0.hasPrefix("error: ") }, "\(result.errors)")
    #expect(
      line.hasPrefix(
        "error: the job was ended, as it is when a rank or its host is lost; \(checkpoint.path) holds "
          + "step "), "\(line)")
    #expect(line.hasSuffix(": the same command goes on from there"))
    #expect(job.ranks.isEmpty)
  }

  @Test func `a job that is asked to stop writes a checkpoint`() throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    let output = pair.folder.appending(path: "run")
    let job = try MPIJob(
      2, arguments(Self.kinds[0], pair, steps: 100_000) + ["--output", output.path])
    while !FileManager.default.fileExists(
      atPath: output.appending(path: "checkpoint.safetensors").path)
    {
      try #require(job.isRunning)
      usleep(20_000)
    }
    job.interrupt(SIGUSR1)
    let result = try job.wait()
    #expect(result.status == 130, "\(result.errors)")
    #expect(
      result.errors.contains("stopped with a checkpoint; the same command goes on from here\n"))
  }

  @Test func `mistakes are told once`() throws {
    let pair = try Self.pair()
    defer { pair.remove() }
    func errors(_ job: MPIJob) throws -> [Substring] {
      let result = try job.wait()
      #expect(result.status != 0)
      return result.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    }
    let output = pair.folder.appending(path: "run")
    let options = arguments(Self.kinds[0], pair) + ["--output", output.path]
    #expect(
      try errors(MPIJob(2, overriding(options, ["--tokens", "/nowhere.u16"])))
        .map { $0.contains("/nowhere.u16") } == [true])
    #expect(
      try errors(MPIJob(3, overriding(options, ["--lanes", "2"]))) == [
        "error: the run has 2 --lanes, fewer than its 3 ranks: start at most 2, or give more --lanes "
          + "and --batch"
      ])
    #expect(
      try errors(MPIJob(2, ["generate", "--target", pair.target.path, "--prompt", "a"])) == [
        "error: 'generate' is work of one process, not of 2: start it without mpirun"
      ])
    // Two jobs on one folder, which the mistakes before didn't begin.
    let shared = pair.folder.appending(path: "shared")
    let long = overriding(options, ["--steps", "100000", "--output", shared.path])
    let first = try MPIJob(2, long)
    while !FileManager.default.fileExists(
      atPath: shared.appending(path: "checkpoint.safetensors").path)
    {
      try #require(first.isRunning)
      usleep(20_000)
    }
    let second = try errors(MPIJob(2, long))
    #expect(second.count == 1)
    #expect(
      second.first?.hasSuffix("is writing it; wait for that one or give another --output") ?? false,
      "\(second)")
    first.interrupt(SIGUSR1)
    #expect(try first.wait().status == 130)
  }

  private static let exchange = [
    "bench", "exchange", "--rounds", "2", "--threads", "1", "--json", "--vocabulary", "61",
    "--hidden", "16", "--intermediate", "24", "--layers", "2", "--heads", "4", "--kv-heads", "2",
    "--head-dim", "8", "--length", "20", "--batch", "3", "--lanes", "3",
  ]

  private func report(_ result: CommandResult) throws -> [String: Any] {
    #expect(result.status == 0, "\(result.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  @Test func `sums of gradients are measured`() throws {
    let object = try report(MPIJob(2, Self.exchange).wait())
    #expect(object["ranks"] as? Int == 2 && object["lanes"] as? Int == 3)
    #expect(object["bytes"] as? Int == 4 * 6464)
    let share = try #require(object["share_of_step"] as? Double)
    #expect(share >= 0 && share < 1)
    #expect(object["link_gbit"] == nil && object["link_latency_us"] == nil)
  }

  /// No sum can be faster than its network.
  @Test func `sums are held back as by a network`() throws {
    let options = ["--link-gbit", "0.01", "--link-latency", "3000"]
    let object = try report(MPIJob(2, Self.exchange + options).wait())
    #expect(object["link_gbit"] as? Double == 0.01)
    #expect(object["link_latency_us"] as? Double == 3000)
    // There and back: one piece of 6,464 values, whose bytes take a link 21 ms, and its way.
    let seconds = try #require(object["seconds_per_sum"] as? Double)
    let bits = 4 * 6464 * 8.0
    let least = 2 * (bits / 1e7 + 3e-3)
    #expect(seconds >= least)
  }
}

/// What needs no Open MPI: the environment says that mpirun started the process.
@Suite struct MPIEnvironmentTests {
  private let environment = ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"]

  @Test func `a job without the library says what to install`() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    // Found before any other, and no library.
    try Data("none".utf8).write(to: folder.appending(path: "libmpi.so.40"))
    let result = try CommandProcess(
      ["pretrain", "--tokens", "/nowhere.u16", "--output", folder.appending(path: "run").path],
      environment: environment.merging(["LD_LIBRARY_PATH": folder.path]) { $1 }
    ).wait()
    #expect(result.status == 1)
    #expect(
      result.errors.hasPrefix(
        "error: mpirun started this process, but Open MPI's library can't be loaded ("))
    #expect(
      result.errors.hasSuffix(
        "): install Open MPI 4 or 5 on every host (make setup-mpi; Debian: apt-get install "
          + "openmpi-bin), or start without mpirun\n"))
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test func `a command of one process is refused`() throws {
    let result = try CommandProcess(
      ["inspect", "/nowhere"], environment: environment
    ).wait()
    #expect(result.status == 64)
    #expect(
      result.errors
        == "error: 'inspect' is work of one process, not of 2: start it without mpirun\n")
  }
}

/// A job of several ranks on this machine.
final class MPIJob {
  /// Open MPI's mpirun, if it is here.
  static let program: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").map { "\($0)/mpirun" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  private let process: CommandProcess

  init(_ ranks: Int, _ arguments: [String]) throws {
    let program = try #require(Self.program)
    process = try Self.withSignals {
      try CommandProcess(
        [
          "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)",
          CommandProcess.programs.appending(path: "speculate").path,
        ] + arguments, environment: ["OMPI_MCA_rmaps_base_oversubscribe": "1"], program: program)
    }
  }

  /// Starts a process that gets signals: the threads of tests block them, which is inherited, and mpirun
  /// needs them.
  static func withSignals(_ start: () throws -> CommandProcess) rethrows -> CommandProcess {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try start()
  }

  var isRunning: Bool { process.isRunning }

  func interrupt(_ signal: Int32) { process.interrupt(signal) }

  func wait() throws -> CommandResult { try process.wait() }

  /// The processes of its ranks that still run.
  var ranks: [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { id in
      guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else {
        return false
      }
      // State and parent stand behind the name, which may hold anything but a closing bracket last.
      let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
      return fields.count > 2 && fields[1] != "Z" && pid_t(fields[2]) == process.id
    }
  }

  /// Which rank a process is.
  static func rank(of id: pid_t) -> Int? {
    let text = (try? Data(contentsOf: URL(filePath: "/proc/\(id)/environ"))) ?? Data()
    return text.split(separator: 0).lazy.map { String(decoding: $0, as: UTF8.self) }
      .first { $0.hasPrefix("OMPI_COMM_WORLD_RANK=") }
      .flatMap { Int($0.dropFirst("OMPI_COMM_WORLD_RANK=".count)) }
  }
}
