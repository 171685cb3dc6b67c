import ArgumentParser
import Files
import Foundation

/// Checks of the values of options.
enum OptionCheck {
  static func range<Value: Comparable>(
    _ option: String, _ value: Value?, _ range: ClosedRange<Value>
  ) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError(
      "\(option) \(value) is out of range: use \(range.lowerBound) to \(range.upperBound)")
  }

  static func atLeast(_ least: Int, _ options: (String, Int?)...) throws {
    for case (let option, let value?) in options where value < least || value > 1 << 30 {
      let range = value < least ? "\(least) or more" : "at most \(1 << 30)"
      throw ValidationError("\(option) \(value) is out of range: use \(range)")
    }
  }

  static func aboveZero<Value: BinaryFloatingPoint>(_ option: String, _ value: Value?) throws {
    guard let value, !(value > 0 && value.isFinite) else { return }
    throw ValidationError("\(option) \(value) is out of range: use a number above 0")
  }

  static func notNegative(_ options: (String, Float)...) throws {
    for (option, value) in options where !(value >= 0 && value.isFinite) {
      throw ValidationError("\(option) \(value) is out of range: use a number of at least 0")
    }
  }

  static func layers(_ text: String, of option: String) throws -> [Int] {
    let layers = try text.split(separator: ",").map { part in
      guard let layer = Int(part.trimmingCharacters(in: .whitespaces)), layer >= 0 else {
        throw ValidationError("\(option) is \(text): give numbers such as 1,5,9")
      }
      return layer
    }
    if layers.isEmpty || layers.count > 64 {
      throw ValidationError("\(option) names \(layers.count) layers: give 1 to 64")
    }
    return layers
  }

  /// Runs a library's check of options; what it refuses is a mistake of the command line.
  @discardableResult
  static func library<Value>(_ check: () throws -> Value) throws -> Value {
    do {
      return try check()
    } catch let error as SpeculateError {
      throw ValidationError(error.description)
    }
  }
}
