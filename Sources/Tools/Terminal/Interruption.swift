import ArgumentParser
import Foundation
import Synchronization

/// Ctrl-C: the first one asks for a clean end, the second ends the process.
enum Interruption {
  /// The exit code of work that Ctrl-C cut short.
  static let exitCode = ExitCode(130)

  /// Says that the same command goes on, and what to throw.
  static func resumable() -> ExitCode {
    Output.note("stopped; the same command goes on from here\n")
    return exitCode
  }

  private static let flag = Atomic<Bool>(false)

  /// Whether Ctrl-C (or a polite `kill`) was seen since ``watch()``.
  static var requested: Bool { flag.load(ordering: .relaxed) }

  /// From now on Ctrl-C only sets ``requested``, once. Called when there is work worth finishing:
  /// before that, while a model loads, Ctrl-C simply ends the process.
  static func watch() {
    _ = requested  // makes the flag before a handler needs it
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in Interruption.flag.store(true, ordering: .relaxed)
    }
    // The handler is removed as it runs, so that a second Ctrl-C can't be ignored.
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_RESTART)
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
    // A parent that blocks signals, as a program's dispatch threads do, hands its mask down.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// A reader that goes away (`speculate … | head`) ends this process silently, whatever the
  /// process that started it did with the signal.
  static func endOnClosedPipe() {
    signal(SIGPIPE, SIG_DFL)
  }
}
