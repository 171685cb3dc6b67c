import Foundation

/// Numbers as people read them.
package enum Figures {
  /// A number with a fixed count of decimals and no locale: `3.12`.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// A rate with three figures or so: `0.42`, `31.2`, `1240`.
  package static func rate(_ value: Double) -> String {
    fixed(value, value < 10 ? 2 : value < 1000 ? 1 : 0)
  }

  /// A count with thousands set apart: `12,345`.
  package static func count(_ value: Int) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// Seconds as `0:07`, `12:05` or `3:04:05`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "a long time" }
    let whole = Int(max(0, seconds).rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0
      ? String(format: "%d:%02d:%02d", hours, minutes, rest)
      : String(format: "%d:%02d", minutes, rest)
  }

  /// Bytes in the unit that fits: `62.4 MB`.
  package static func bytes(_ count: Int) -> String {
    let value = Double(count)
    if value < 1e6 { return fixed(value / 1e3, 1) + " kB" }
    if value < 1e9 { return fixed(value / 1e6, 1) + " MB" }
    return fixed(value / 1e9, 2) + " GB"
  }
}
