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
  private static let patience = Atomic<UInt32>(0)

  /// Whether Ctrl-C (or a polite `kill`, or the end of the terminal) was seen since ``watch(patience:)``.
  static var requested: Bool { flag.load(ordering: .relaxed) }

  /// From now on Ctrl-C only sets ``requested``, once. Called when there is work worth finishing:
  /// before that, while a model loads, Ctrl-C simply ends the process.
  ///
  /// - Parameter patience: Seconds after which the process ends all the same, unless ``finish()`` says
  ///   that the work has come to its end; nil where a checkpoint is worth any time.
  static func watch(patience seconds: UInt32? = 2) {
    _ = requested  // makes the flags before a handler needs them
    patience.store(seconds ?? 0, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      Interruption.flag.store(true, ordering: .relaxed)
      let seconds = Interruption.patience.load(ordering: .relaxed)
      if seconds > 0 { alarm(seconds) }
    }
    // The handler is removed as it runs, so that a second Ctrl-C can't be ignored.
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_RESTART)
    // A parent that blocks signals, as a program's dispatch threads do, hands its mask down.
    var signals = sigset_t()
    sigemptyset(&signals)
    // A job's end comes as SIGTERM, with a second before the kill; SIGUSR1 is what mpirun hands on.
    let isRank = Ranks.place != nil
    for name in isRank ? [SIGINT, SIGUSR1, SIGHUP] : [SIGINT, SIGTERM, SIGHUP]
    where !isIgnored(name) || name != SIGHUP {
      sigaction(name, &action, nil)
      sigaddset(&signals, name)
    }
    if isRank {
      _ = lastWords.load(ordering: .relaxed)
      signal(SIGTERM) { _ in Interruption.sayLastWords() }
      sigaddset(&signals, SIGTERM)
    }
    signal(SIGALRM) { _ in _exit(Interruption.exitCode.rawValue) }
    sigaddset(&signals, SIGALRM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// What a rank says when its job is ended, as it may be at any moment once a rank or its host is lost.
  ///
  /// The address of a C string, 0 for none.
  private static let lastWords = Atomic<UInt>(0)

  /// Sets the line that is said should the job be ended, on the rank that talks.
  static func prepareLastWords(_ line: String) {
    guard Ranks.place != nil, !Ranks.isSilent else { return }
    // What was said before may be being written: a line a checkpoint isn't given back.
    lastWords.store(UInt(bitPattern: strdup("error: \(line)\n")), ordering: .releasing)
  }

  /// In a signal's handler: nothing but what may be called there.
  ///
  /// `mpirun` kills its ranks a second after SIGTERM, or as soon as one of its processes has ended, however
  /// soon that is. So ranks that have nothing to say don't end before the one that has.
  private static func sayLastWords() {
    if let words = UnsafePointer<CChar>(bitPattern: lastWords.load(ordering: .acquiring)) {
      _ = write(STDERR_FILENO, words, strlen(words))
    } else {
      Ranks.awaitOthersError()
    }
    _exit(1)
  }

  /// The work has come to its end, early or not: what is left, such as writing it down, takes its time.
  static func finish() {
    patience.store(0, ordering: .relaxed)
    alarm(0)
  }

  /// Whether a signal is to be ignored, as `nohup` asks.
  private static func isIgnored(_ name: Int32) -> Bool {
    var action = sigaction()
    sigaction(name, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// What signals do from the start, whatever the process that started this one did with them: a reader
  /// that goes away (`speculate … | head`) ends it silently, and a file that may not grow further is an
  /// error of the write.
  static func settleSignals() {
    signal(SIGPIPE, SIG_DFL)
    signal(SIGXFSZ, SIG_IGN)
  }
}
