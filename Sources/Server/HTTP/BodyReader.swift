import Files
import HTTPTypes
import Hummingbird
import NIOCore

/// Reads the JSON body of a request within limits of size and time.
struct BodyReader {
  /// The most bytes.
  let limit: Int
  /// Seconds within which the whole body has to come.
  let patience: Double

  /// The body's bytes.
  ///
  /// - Throws: ``APIError`` for a body of another type (415), one that is too large (413), or one that doesn't
  ///   come to its end (408, 400).
  func read(_ request: Request) async throws -> [UInt8] {
    try checkType(request.headers)
    let length = request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > limit { throw tooLarge }
    let bytes = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      group.addTask { try await collect(request.body) }
      group.addTask {
        try await Task.sleep(for: .seconds(patience))
        throw APIError(
          408, "the body didn't come within \(Int(patience)) seconds; send it again",
          code: "request_timeout")
      }
      defer { group.cancelAll() }
      return try await group.next() ?? []
    }
    if let length, bytes.count != length {
      throw APIError(
        400, "the body has \(bytes.count) of \(length) bytes; send it again",
        code: "incomplete_body")
    }
    return bytes
  }

  private func collect(_ body: RequestBody) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      for try await buffer in body {
        guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge }
        bytes.append(contentsOf: buffer.readableBytesView)
      }
    } catch let error as APIError {
      throw error
    } catch {
      throw APIError(
        400, "the body can't be read to its end; send it again", code: "incomplete_body")
    }
    return bytes
  }

  private var tooLarge: APIError {
    APIError(
      413, "the body is larger than \(limit) bytes; send less, or start the server with more",
      code: "body_too_large")
  }

  private func checkType(_ headers: HTTPFields) throws {
    if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw APIError(
        415, "a body in the encoding \(encoding) is not taken; send it as it is",
        code: "unsupported_media_type")
    }
    // Pages of other origins can send what has no type without asking first.
    let type = headers[.contentType] ?? ""
    let name = type.prefix { $0 != ";" }.trimming(while: { $0 == " " || $0 == "\t" })
    guard name.lowercased() == "application/json" else {
      throw APIError(
        415, "a body of type \(quoted(String(name))) is not taken; send JSON as application/json",
        code: "unsupported_media_type")
    }
    guard let range = type.lowercased().firstRange(of: "charset=") else { return }
    let charset = type.lowercased()[range.upperBound...].prefix { $0 != ";" }
      .filter { $0 != "\"" && $0 != " " }
    guard ["utf-8", "utf8", "us-ascii"].contains(charset) else {
      throw APIError(
        415, "a body in \(charset) is not taken; send UTF-8", code: "unsupported_media_type")
    }
  }
}

extension StringProtocol {
  fileprivate func trimming(while isBlank: (Character) -> Bool) -> SubSequence {
    var text = drop(while: isBlank)
    while let last = text.last, isBlank(last) { text = text.dropLast() }
    return text
  }
}
