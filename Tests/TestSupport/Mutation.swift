package import Files

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
