import HTTPTypes

/// Who may ask: those who know the key, from pages of the allowed origins.
struct AccessRules: Sendable {
  /// The keys that are taken; with none of them everybody may ask.
  private let keys: [[UInt8]]
  /// The origins whose pages may ask, or `*` for all; none by default.
  private let origins: [String]

  init(keys: [String], origins: [String]) {
    self.keys = keys.map { Array($0.utf8) }
    self.origins = origins
  }

  /// - Throws: ``APIError`` (401) without a key that is known.
  func checkKey(_ headers: HTTPFields) throws {
    guard !keys.isEmpty else { return }
    guard let header = headers[.authorization] else {
      throw APIError(
        401, "a key is needed; send it as \"Authorization: Bearer KEY\"", code: "missing_api_key")
    }
    let words = header.split(separator: " ", omittingEmptySubsequences: true)
    let given =
      words.count == 2 && words[0].lowercased() == "bearer" ? Array(words[1].utf8) : []
    // All of them are compared, so that the time tells nothing.
    var isKnown = false
    for key in keys where Self.isEqual(given, key) { isKnown = true }
    guard isKnown else {
      throw APIError(401, "the key is not one that this server knows", code: "invalid_api_key")
    }
  }

  /// Whether two texts are equal, in a time that depends on the length of the first only.
  static func isEqual(_ given: [UInt8], _ key: [UInt8]) -> Bool {
    var difference = given.count ^ key.count
    for index in given.indices {
      difference |= Int(given[index] ^ (key.isEmpty ? 0xFF : key[index % key.count]))
    }
    return difference == 0
  }

  /// What answers to a page of another origin say, or nothing.
  func crossOrigin(_ headers: HTTPFields, isPreflight: Bool) -> HTTPFields {
    guard let origin = headers[.origin], origins.contains("*") || origins.contains(origin) else {
      return [:]
    }
    var fields: HTTPFields = [
      .accessControlAllowOrigin: origins.contains("*") ? "*" : origin, .vary: "Origin",
      .accessControlExposeHeaders: "X-Request-Id, Retry-After",
    ]
    if isPreflight {
      fields[.accessControlAllowMethods] = "GET, POST, OPTIONS"
      fields[.accessControlAllowHeaders] = headers[.accessControlRequestHeaders] ?? "*"
      fields[.accessControlMaxAge] = "600"
    }
    return fields
  }
}
