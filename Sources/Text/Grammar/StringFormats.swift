import Files

/// What the formats of strings in JSON schemas allow, as patterns: each matches texts of the format only, if not all
/// of them.
enum StringFormats {
  private static let host = "[A-Za-z0-9]+(-[A-Za-z0-9]+)*(\\.[A-Za-z0-9]+(-[A-Za-z0-9]+)*)*"
  private static let byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
  // February ends on its 28th.
  private static let date =
    "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    + "|02-(0[1-9]|1[0-9]|2[0-8]))"
  private static let time =
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
  private static let path = "([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*"

  private static let patterns = [
    "date": date, "time": time, "date-time": "\(date)T\(time)",
    "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "ipv4": "\(byte)(\\.\(byte)){3}", "ipv6": "[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}",
    "hostname": host, "email": "[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*@\(host)",
    "uri": "https?://\(host)(:[0-9]{1,4})?(/\(path))?(\\?\(path))?(#\(path))?",
  ]

  /// - Throws: ``SpeculateError`` for a format that isn't known.
  static func pattern(_ format: String, _ schema: JSONSchema) throws -> String {
    guard let pattern = patterns[format] else {
      throw schema.error(
        at: "format",
        "\(quoted(format)) is not supported; use one of \(patterns.keys.sorted().joined(separator: ", "))"
          + ", or leave it out")
    }
    return "^(\(pattern))$"
  }
}
