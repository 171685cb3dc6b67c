import Files
import Glibc

/// A connection to an HTTP/1.1 server whose calls block, for loads and tests. One thread uses it.
package final class HTTPConnection {
  /// The head of an answer.
  package struct Head: Sendable {
    package let status: Int
    /// Names in small letters.
    package let headers: [String: String]
  }

  private let socket: Int32
  /// What requests call the server.
  private let authority: String
  private var isOpen = true
  /// Bytes that were received and not taken yet.
  private var received: [UInt8] = []
  /// Where bytes are received.
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  /// How much of the body is left: bytes, or chunks.
  private enum Body { case none, counted(Int), chunked, untilClosed }
  private var body = Body.none

  /// Connects.
  ///
  /// - Parameters:
  ///   - timeout: seconds after which a call that waits fails.
  ///   - receiveBuffer: bytes that wait to be read at most; nil for the system's choice.
  /// - Throws: `SpeculateError` when nobody listens there.
  package init(host: String, port: Int, timeout: Double = 60, receiveBuffer: Int? = nil) throws {
    authority = (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let first = found else {
      throw SpeculateError("\(host): there is no such host")
    }
    defer { freeaddrinfo(found) }
    socket = Glibc.socket(
      first.pointee.ai_family, first.pointee.ai_socktype, first.pointee.ai_protocol)
    var time = timeval(
      tv_sec: Int(timeout), tv_usec: Int((timeout - timeout.rounded(.down)) * 1e6))
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    if var size = receiveBuffer.map({ Int32($0) }) {
      // Before it connects, because that is when it tells how much it takes.
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var one: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    guard connect(socket, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
      let reason = String(cString: strerror(errno))
      close()
      throw SpeculateError("\(host) port \(port): \(reason)")
    }
  }

  deinit { close() }

  package func close() {
    guard isOpen else { return }
    isOpen = false
    _ = Glibc.close(socket)
  }

  /// Closes at once, so that what wasn't read makes the other side's writing fail.
  package func abort() {
    var how = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &how, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Sends bytes as they are.
  package func send(_ bytes: some Sequence<UInt8>) throws {
    let bytes = Array(bytes)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw SpeculateError("can't send: \(String(cString: strerror(errno)))")
      }
      sent += count
    }
  }

  /// Sends a request.
  package func send(
    _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
  ) throws {
    var text = "\(method) \(path) HTTP/1.1\r\n"
    if headers["Host"] == nil { text += "Host: \(authority)\r\n" }
    if let body {
      text += "Content-Length: \(body.utf8.count)\r\n"
      if headers["Content-Type"] == nil { text += "Content-Type: application/json\r\n" }
    }
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    try send((text + "\r\n" + (body ?? "")).utf8)
  }

  /// Reads the head of an answer.
  ///
  /// - Parameter hasBody: whether a body follows; none does behind the answer to HEAD.
  package func readHead(hasBody: Bool = true) throws -> Head {
    var lines: [String] = []
    while true {
      let line = try readLine()
      if line.isEmpty { break }
      lines.append(line)
    }
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count >= 2, let status = Int(words[1]) else {
      throw SpeculateError("the server sent no HTTP answer")
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = String(
        line[line.index(after: colon)...].drop { $0 == " " })
    }
    if !hasBody || status == 204 || status < 200 {
      body = .none
    } else if headers["transfer-encoding"]?.lowercased() == "chunked" {
      body = .chunked
    } else {
      body = headers["content-length"].flatMap { Int($0) }.map(Body.counted) ?? .untilClosed
    }
    return Head(status: status, headers: headers)
  }

  /// The next piece of the body as it comes; nil at its end.
  package func readPiece() throws -> [UInt8]? {
    switch body {
    case .none: return nil
    case .untilClosed:
      if received.isEmpty, try !receive() { return nil }
      defer { received = [] }
      return received
    case .counted(let left):
      guard left > 0 else {
        body = .none
        return nil
      }
      if received.isEmpty, try !receive() { throw ended }
      let piece = Array(received.prefix(left))
      received.removeFirst(piece.count)
      body = .counted(left - piece.count)
      return piece
    case .chunked:
      let size = try readLine().prefix { $0 != ";" }
      guard let count = Int(size, radix: 16) else { throw SpeculateError("a chunk has no size") }
      while received.count < count + 2 { if try !receive() { throw ended } }
      let piece = Array(received.prefix(count))
      received.removeFirst(count + 2)
      guard count > 0 else {
        body = .none
        return nil
      }
      return piece
    }
  }

  /// The rest of the body.
  package func readBody() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try readPiece() { bytes += piece }
    return bytes
  }

  /// Whether the server has closed the connection, and sends nothing more.
  package func isClosedByServer() -> Bool { received.isEmpty && (try? receive()) == false }

  private var ended: SpeculateError { SpeculateError("the server closed the connection early") }

  private func readLine() throws -> String {
    while true {
      if let end = received.firstIndex(of: 0x0A) {
        let line = received[..<end].filter { $0 != 0x0D }
        received.removeFirst(end + 1)
        return String(decoding: line, as: UTF8.self)
      }
      if try !receive() { throw ended }
    }
  }

  /// Waits for more bytes; false at the end.
  private func receive() throws -> Bool {
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw SpeculateError("can't receive: \(String(cString: strerror(errno)))")
      }
      received += buffer[..<count]
      return count > 0
    }
  }
}
