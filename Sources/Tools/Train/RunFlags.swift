import ArgumentParser
import Files
import Foundation
import Training

/// What every training takes: how it runs, and what it writes.
struct RunFlags: ParsableArguments {
  @Option(help: "Longest gradient; longer ones are shortened to it.") var clip: Float = 1
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var precision: PrecisionOption
  @Option(help: "Seconds between checkpoints.") var checkpointSeconds = 300.0
  @Option(help: "Steps between progress lines.") var logEvery = 10
  @Option(help: "Type of the exported weights: bf16 or f32.") var dtype = "bf16"

  /// Copies the flags.
  func apply(to options: inout RunOptions) {
    options.clip = clip
    options.precision = precision.wanted
    options.checkpointSeconds = checkpointSeconds
    options.logEvery = logEvery
    options.exportType = dtype == "bf16" ? .bf16 : .f32
  }

  func validate() throws {
    try FlagCheck.positive([("--log-every", logEvery)])
    try FlagCheck.aboveZero([("--clip", Double(clip)), ("--checkpoint-seconds", checkpointSeconds)])
    if dtype != "bf16" && dtype != "f32" {
      throw ValidationError("--dtype is \(dtype): give bf16 or f32")
    }
  }
}

/// Checks that commands of training share.
enum FlagCheck {
  /// Throws for the first value below 1.
  static func positive(_ flags: [(String, Int)]) throws {
    for (name, value) in flags where value < 1 || value > 1 << 30 {
      throw ValidationError("\(name) is \(value): give a number of at least 1")
    }
  }

  /// Throws for the first value below 0.
  static func notNegative(_ flags: [(String, Int)]) throws {
    for (name, value) in flags where value < 0 {
      throw ValidationError("\(name) is \(value): give 0 or more")
    }
  }

  /// Throws for the first value that is no number above 0.
  static func aboveZero(_ flags: [(String, Double)]) throws {
    for (name, value) in flags where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value): give a number above 0")
    }
  }

  /// Throws for the first value that is no share.
  static func shares(_ flags: [(String, Double)]) throws {
    for (name, value) in flags where !(value >= 0 && value <= 1) {
      throw ValidationError("\(name) is \(value): give a number from 0 to 1")
    }
  }

  /// The layers that a flag names.
  static func layers(_ text: String, of name: String) throws -> [Int] {
    let layers = try text.split(separator: ",").map { part in
      guard let layer = Int(part.trimmingCharacters(in: .whitespaces)), layer >= 0 else {
        throw ValidationError("\(name) is \(text): give numbers such as 1,5,9")
      }
      return layer
    }
    if layers.isEmpty || layers.count > 64 {
      throw ValidationError("\(name) names \(layers.count) layers: give 1 to 64")
    }
    return layers
  }
}
