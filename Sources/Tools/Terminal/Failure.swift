import ArgumentParser
import Files
import Foundation
import Training

/// How a command that did not succeed ends: one line on standard error, and an exit code.
///
/// 1 for anything that went wrong, 64 for a command line that can't be understood, 130 when Ctrl-C
/// ended the work early.
enum Failure {
  /// Prints what `error` says, and leaves.
  static func exit<Root: ParsableCommand>(_ error: any Error, in root: Root.Type) -> Never {
    switch root.exitCode(for: error) {
    case .success:  // help or a completion script
      do { try Output.line(root.fullMessage(for: error)) } catch { Self.exit(error, in: root) }
      leave(ExitCode.success)
    case .validationFailure:
      misuse(usage(error, in: root))
    default:
      if let code = error as? ExitCode { leave(code) }
      // What a check of options throws is wrapped up by the parser, which can tell what it is.
      let isOwn = error is SpeculateError || error is CocoaError
      say(isOwn ? line(for: error) : oneLine(SettingFlags.naming(root.message(for: error))))
      leave(ExitCode.failure)
    }
  }

  /// Ends the process, successful or not.
  ///
  /// What libraries want to do at its end is left out: OpenBLAS waits there for its threads, for ever
  /// where memory is too short for them to start.
  static func leave(_ code: ExitCode) -> Never {
    fflush(nil)
    Ranks.leave(code)
    _exit(code.rawValue)
  }

  /// Says what is wrong with the command line, and leaves.
  static func misuse(_ complaint: String) -> Never {
    say(complaint)
    leave(ExitCode.validationFailure)
  }

  /// One line that describes any error.
  static func line(for error: any Error) -> String {
    let text =
      switch error {
      case let error as SpeculateError: SettingFlags.naming(error.description)
      case let error as CocoaError:
        [error.filePath, systemReason(error)].compactMap { $0 }.joined(separator: ": ")
      default: "\(error)"
      }
    return oneLine(text)
  }

  /// One line that says what is wrong with the command line, and whose help to ask for.
  static func usage<Root: ParsableCommand>(_ error: any Error, in root: Root.Type) -> String {
    var message = oneLine(root.message(for: error))
    if message.hasSuffix(".") { message.removeLast() }
    let help = root.fullMessage(for: error).firstMatch(of: /See '(.+?)' for more information/)
    let hint = help.map { String($0.1) } ?? "\(root._commandName) --help"
    return "\(message); see '\(hint)'"
  }

  /// The most characters of a line. What an error quotes from a file may have any length.
  static let longestLine = 600

  /// Writes `error: …` on standard error, with nothing in it that acts on the terminal.
  static func say(_ line: String) {
    Ranks.awaitOthersError()
    let rank = Ranks.isSilent ? Ranks.place.map { "rank \($0.rank) on \(hostName): " } : nil
    Output.report("error: \(rank ?? "")\(printable(line, limit: longestLine))\n")
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: " ")
  }
}
