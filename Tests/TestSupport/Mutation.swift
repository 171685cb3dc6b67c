package import Files
import Foundation

/// Damages bytes in one of the ways files get damaged: a bit, a byte, a digit, a cut, a gap, a copy.
package func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
  guard !bytes.isEmpty else { return bytes.append(0) }
  let at = Int.random(in: 0..<bytes.count, using: &random)
  switch Int.random(in: 0..<8, using: &random) {
  case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
  case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
  case 2: bytes.removeSubrange(at...)
  case 3: bytes.remove(at: at)
  case 4: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
  case 5:
    let digits = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
    if let digit = digits.randomElement(using: &random) {
      bytes[digit] = UInt8.random(in: 0x2D...0x39, using: &random)
    }
  case 6:
    let end = min(bytes.count, at + Int.random(in: 1...60, using: &random))
    bytes.insert(
      contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &random))
  default:
    let end = min(bytes.count, at + Int.random(in: 1...60, using: &random))
    bytes.removeSubrange(at..<end)
  }
}

/// Values that no file should hold where a number or a word stands.
private let hostileValues = [
  "-1", "0", "1", "-0.0", "0.5", "1e300", "-1e300", "1e-300", "2147483647", "2147483648",
  "4294967296", "16777215", "16777216", "9223372036854775807", "-9223372036854775808",
  "4611686018427387904", "18446744073709551616", "null", "true", "[]", "{}", "\"\"", "[[[[1]]]]",
  "\"\\u0000\"", "[-1,9223372036854775807]",
]

/// Replaces some of a JSON text's numbers and words, strings among them.
package func makeHostile(_ json: String, _ random: inout SplitMix) -> String {
  var text = json
  for _ in 0..<Int.random(in: 1...3, using: &random) {
    let places = text.matches(of: /-?[0-9][0-9.eE+-]*|true|false|null|"[^"\\]*"/)
    guard let place = places.randomElement(using: &random)?.range else { break }
    text.replaceSubrange(place, with: hostileValues.randomElement(using: &random) ?? "")
  }
  return text
}

/// How many inputs to try: those given, or `FUZZ` times as many where the environment says so.
package func fuzzRounds(_ count: Int) -> Int {
  count * (ProcessInfo.processInfo.environment["FUZZ"].flatMap { Int($0) } ?? 1)
}
