import Files
import Foundation
import Testing

/// Limits of control groups, read from folders like the system's.
@Suite struct SystemMemoryTests {
  private let root = FileManager.default.temporaryDirectory
    .appendingPathComponent("groups-\(UUID().uuidString)")

  private func write(_ files: [String: String]) throws {
    for (name, text) in files {
      let url = root.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  @Test func theTightestGroupCounts() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try write([
      "memory.max": "max\n", "a/memory.max": "1000000\n", "a/memory.current": "400000\n",
      "a/memory.stat": "anon 300000\ninactive_file 50000\n", "a/b/memory.max": "900000\n",
      "a/b/memory.current": "950000\n", "a/b/memory.stat": "inactive_file 250000\n",
      "c/memory.max": "max\n", "c/memory.current": "1\n", "d/memory.max": "100\n",
      "d/memory.current": "200\n",
    ])
    func room(_ membership: String) -> Int? {
      SystemMemory.room(membership: membership, root: root)
    }
    #expect(room("0::/a/b\n") == 200_000)
    #expect(room("0::/a\n") == 650_000)
    #expect(room("0::/a/gone/deeper\n") == 650_000)
    #expect(room("0::/c\n") == nil && room("0::/\n") == nil && room("") == nil)
    #expect(room("rubbish\n1:name\n") == nil)
    #expect(room("0::/d\n") == 0)
  }

  @Test func theFirstVersionIsReadToo() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try write([
      "memory/job/memory.limit_in_bytes": "5000000\n",
      "memory/job/memory.usage_in_bytes": "3000000\n",
      "memory/job/memory.stat": "cache 9\ntotal_inactive_file 1000000\n",
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/memory.usage_in_bytes": "3000000\n",
    ])
    let membership = "9:name=systemd:/\n4:cpu,memory:/job\n3:cpuset:/\n0::/\n"
    #expect(SystemMemory.room(membership: membership, root: root) == 3_000_000)
    #expect(SystemMemory.available.map { $0 > 0 } == true)
  }
}
