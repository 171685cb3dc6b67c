import Foundation
import TestSupport
import Testing

/// Scripts/cluster/distill.sbatch, with Slurm's variables set and an mpirun that is told of too few cores.
extension MPITests {
  @Test func `a job of Slurm's that is asked to stop goes on with another number of ranks`() throws
  {
    let pair = try Self.pair()
    defer { pair.remove() }
    let files = FileManager.default
    let folder = pair.folder.appending(path: "job")
    for name in [".build/release", "bin"] {
      try files.createDirectory(
        at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    try files.createSymbolicLink(
      at: folder.appending(path: ".build/release/speculate"),
      withDestinationURL: CommandProcess.programs.appending(path: "speculate"))
    let mpirun = folder.appending(path: "bin/mpirun")
    let program = try #require(MPIJob.program)
    try Data(
      """
      #!/bin/bash
      exec \(program) --allow-run-as-root --oversubscribe "${@/#core/core:overload-allowed}"
      """.utf8
    ).write(to: mpirun)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mpirun.path)
    let output = folder.appending(path: "output")
    let data = pair.folder.appending(path: "data.jsonl").path
    let environment = [
      "PATH": folder.appending(path: "bin").path + ":"
        + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
      "SLURM_CPUS_PER_TASK": "1", "TARGET": pair.target.path, "DATA": data, "HELDOUT": data,
      "OUTPUT": output.path,
    ]
    let options = [
      TestFiles.package.appending(path: "Scripts/cluster/distill.sbatch").path, "--steps", "40",
      "--responses", "140", "--shortest-prompt", "4", "--longest-prompt", "20",
      "--response-length", "40", "--layers", "1", "--block-size", "4", "--mask-token", "3",
      "--draft-vocabulary", "100", "--anchors", "8", "--evaluation-length", "20",
      "--evaluation-prompts", "3", "--checkpoint-seconds", "0.02",
    ]
    func job(ranks: Int) throws -> CommandProcess {
      try MPIJob.withSignals {
        try CommandProcess(
          options, environment: environment.merging(["SLURM_NTASKS_PER_NODE": "\(ranks)"]) { $1 },
          current: folder, program: "/bin/bash")
      }
    }
    let first = try job(ranks: 2)
    while !files.fileExists(atPath: output.appending(path: "checkpoint.safetensors").path) {
      try #require(first.isRunning, "\(first.errors)")
      usleep(20_000)
    }
    first.interrupt(SIGUSR1)
    let stopped = try first.wait()
    #expect(stopped.status == 130, "\(stopped.errors)")
    #expect(
      stopped.errors.contains("stopped with a checkpoint; the same command goes on from here\n"))
    let last = try job(ranks: 3).wait()
    #expect(last.status == 0, "\(last.errors)")
    #expect(last.errors.contains(", 3 ranks, 3 threads, 128 lanes, resumed at step "))
  }
}
