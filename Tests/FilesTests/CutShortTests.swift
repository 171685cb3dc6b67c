import Files
import Foundation
import Glibc
import Tensors
import TestSupport
import Testing

/// Files that other programs cut short while they are mapped.
@Suite struct CutShortTests {
  @Test func theProcessEndsWithALineThatNamesTheFile() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      let folder = try TemporaryFolder()
      let others = try (0..<3).map { index in
        try MappedFile(url: folder.write([UInt8](repeating: 1, count: 10_000), to: "\(index)"))
      }
      let values = FloatBuffer(count: 100_000)
      let url = folder.file("model.safetensors")
      try SafetensorsWriter.write(
        [.init(name: "a", shape: [100_000], type: .f32, values: values.base)], to: url)
      let checkpoint = try Checkpoint(file: url)
      // A mapping that is gone belongs to nobody.
      do { _ = try MappedFile(url: folder.file("0")) }
      truncate(url.path, 5000)
      _ = try checkpoint.floats("a", shape: [100_000])
      withExtendedLifetime((others, values)) {}
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.hasPrefix("error: ") && text.split(separator: "\n").count == 1, "\(text)")
    #expect(
      text.hasSuffix(
        "/model.safetensors: it was cut short while it was being read; restore the file and start "
          + "again\n"), "\(text)")
  }

  /// A bus error that no file of ours is the reason for stays one.
  @Test func otherBusErrorsEndAsBefore() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      signal(SIGBUS, SIG_DFL)
      let folder = try TemporaryFolder()
      let file = try MappedFile(url: folder.write([1, 2, 3], to: "f"))
      withExtendedLifetime(file) { _ = raise(SIGBUS) }
      // `raise` has no address: the handler has put back what was there.
      _ = raise(SIGBUS)
    }
  }

  @Test func memoryThatIsRefusedIsALine() async {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      _ = FloatBuffer(count: 1 << 60)
    }
    #expect(
      String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        == "error: there is no memory for 4611686018427387904 bytes of values: end other programs, or "
        + "take a smaller model or format\n")
  }

  /// Threads take address space for their stacks.
  @Test func threadsThatAreRefusedMakeASmallerTeam() async {
    let result = await #expect(
      processExitsWith: .exitCode(0), observing: [\.standardErrorContent]
    ) {
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let pages =
        try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        .split(separator: " ").first.flatMap { Int($0) } ?? 0
      limit.rlim_cur = rlim_t(pages * 4096 + 40 << 20)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let workers = Workers(count: 64)
      let sum = FloatBuffer(count: 64)
      workers.run { sum.base[$0] = 1 }
      let ran = (0..<64).reduce(0) { $0 + Int(sum.base[$1]) }
      exit(workers.count < 64 && ran == workers.count ? 0 : 1)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(
      text.hasPrefix("note: the system grants ") && text.contains(" of 64 threads;"), "\(text)")
  }
}
