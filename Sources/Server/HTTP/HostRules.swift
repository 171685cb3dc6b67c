import Files

/// By which names a server may be called, as the header `Host` tells them.
///
/// A page of a stranger can have its own name resolved to this machine's loopback address (DNS rebinding), and is
/// of one origin with the server then. Its requests still call the server by that name, which is how they are
/// told from others.
struct HostRules: Sendable {
  /// Names in small letters besides those of loopback; nil for any.
  private let names: Set<String>?

  /// - Parameters:
  ///   - bound: the address that the server listens on. Names are looked at where that is loopback, or where some
  ///     are allowed.
  ///   - allowed: other names that it may be called by, or `*` for any.
  init(bound: String, allowed: [String]) {
    let own = Self.name(of: bound)
    let others = allowed.map(Self.name)
    let takesAny = others.contains("*") || others.isEmpty && !Self.isLoopback(own)
    names = takesAny ? nil : Set(others + [own])
  }

  /// - Parameter host: the header's value; nil without one, which no browser leaves out.
  /// - Throws: ``APIError`` (403) for a name that isn't the server's.
  func check(_ host: String?) throws {
    guard let names, let host else { return }
    let name = Self.name(of: host)
    guard !names.contains(name), !Self.isLoopback(name) else { return }
    throw APIError(
      403,
      "the server is not called \(quoted(printable(name, limit: 100))); use its address, or have it allow "
        + "that name", code: "host_not_allowed")
  }

  /// A host without its port, in small letters.
  private static func name(of host: String) -> String {
    var name = Substring(host.lowercased())
    if name.hasPrefix("["), let end = name.firstIndex(of: "]") {
      return String(name[name.index(after: name.startIndex)..<end])
    }
    // An address of version 6 without brackets has several colons, and no port.
    if name.count(where: { $0 == ":" }) == 1, let colon = name.firstIndex(of: ":") {
      name = name[..<colon]
    }
    if name.hasSuffix(".") { name = name.dropLast() }
    return String(name)
  }

  /// Whether a name means this machine, whoever resolves it.
  private static func isLoopback(_ name: String) -> Bool {
    if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
