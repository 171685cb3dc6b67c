import Foundation

/// The full compatibility decompositions of characters that have another one than the canonical.
///
/// They come from Foundation, one character at a time: as such they are right, while longer texts meet
/// the faults that `CanonicalDecompositions` tells of.
enum CompatibilityDecompositions {
  /// The parts of each character, none of which can be decomposed further.
  static let parts: [UInt32: [UInt32]] = {
    var parts: [UInt32: [UInt32]] = [:]
    // All such characters are in planes 0 to 2; Unicode's case folding for identifiers changes them.
    for value in UInt32(0xA0)..<0x30000 {
      guard let scalar = Unicode.Scalar(value), scalar.properties.changesWhenNFKCCaseFolded,
        UnicodeNormalization.isKnown(scalar.properties)
      else { continue }
      let text = String(Character(scalar))
      let full = text.decomposedStringWithCompatibilityMapping.unicodeScalars
      let canonical = text.decomposedStringWithCanonicalMapping.unicodeScalars
      if !full.elementsEqual(canonical) { parts[value] = full.map(\.value) }
    }
    return parts
  }()
}
