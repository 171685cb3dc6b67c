package import Foundation

/// How much memory this process may still have.
package enum SystemMemory {
  /// Bytes that can be had without taking them from other programs: what the system has, or the control
  /// group of this process if that is less; nil where neither can be read.
  package static var available: Int? {
    let group = text("/proc/self/cgroup").flatMap {
      room(membership: $0, root: URL(fileURLWithPath: "/sys/fs/cgroup"))
    }
    return [machine, group].compactMap { $0 }.min()
  }

  private static var machine: Int? {
    guard let fields = text("/proc/meminfo").map({ table($0, separator: ":") }),
      let available = fields["MemAvailable"]
    else { return nil }
    return 1024 * (available + (fields["SwapFree"] ?? 0))
  }

  /// What the control groups of a process leave it, the least of all above it; nil without a limit.
  ///
  /// Pages of files that were read count as used there, but go when memory is wanted.
  ///
  /// - Parameters:
  ///   - membership: `/proc/self/cgroup`: lines of `number:controllers:path`.
  ///   - root: Where the groups are shown, of both versions of the interface.
  package static func room(membership: String, root: URL) -> Int? {
    var least: Int?
    for line in membership.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isFirst = parts[1].split(separator: ",").contains("memory")
      guard isFirst || parts[1].isEmpty else { continue }
      let base = isFirst ? root.appendingPathComponent("memory") : root
      var path = parts[2].split(separator: "/").map(String.init)
      while true {
        // In a container a group may be shown as the root, whatever it is called outside.
        let folder = path.reduce(base) { $0.appendingPathComponent($1) }
        if let room = room(in: folder, isFirst: isFirst) { least = min(least ?? .max, room) }
        guard path.popLast() != nil else { break }
      }
    }
    return least
  }

  private static func room(in folder: URL, isFirst: Bool) -> Int? {
    func read(_ name: String) -> String? { text(folder.appendingPathComponent(name).path) }
    func number(_ name: String) -> Int? {
      read(name).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }
    // "max", or in the first version a number beyond all memory, is no limit.
    guard let limit = number(isFirst ? "memory.limit_in_bytes" : "memory.max"), limit < 1 << 60,
      let used = number(isFirst ? "memory.usage_in_bytes" : "memory.current")
    else { return nil }
    let fields = read("memory.stat").map { table($0, separator: " ") } ?? [:]
    let files = fields[isFirst ? "total_inactive_file" : "inactive_file"] ?? 0
    return max(0, limit - max(0, used - files))
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  /// Lines of a name and a number.
  private static func table(_ text: String, separator: Character) -> [String: Int] {
    var result: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, let number = parts[1].split(separator: " ").first else { continue }
      result[String(parts[0])] = Int(number)
    }
    return result
  }
}
