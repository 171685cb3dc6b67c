import ArgumentParser
import Foundation
import Synchronization
import Training

/// The processes of the job that `mpirun` started, of which this one is a rank. Rank 0 alone talks and
/// writes; the others say only what ends them.
enum Ranks {
  /// Which rank this is and of how many, nil for a process that was started by itself.
  static let place = MPICommunicator.place()

  /// Whether another rank does the talking.
  static var isSilent: Bool { place.map { $0.rank > 0 } ?? false }
  private static let joined = Mutex<MPICommunicator?>(nil)

  /// Joins the job, if there is one.
  ///
  /// - Throws: `SpeculateError` where a job is there and Open MPI isn't.
  static func join() throws -> any Communicator {
    guard place != nil else { return SingleRank() }
    return try joined.withLock { joined in
      if let joined { return joined }
      let made = try MPICommunicator()
      joined = made
      return made
    }
  }

  /// What is wrong with a command of one process among several; nil if nothing is.
  static func complaint(about command: any ParsableCommand) -> String? {
    guard let place, place.rankCount > 1, !(command is any RankedCommand) else { return nil }
    return "'\(command.name)' is work of one process, not of \(place.rankCount): start it without "
      + "mpirun"
  }

  /// Ends this process's part in the job. A failure ends all ranks; success, and Ctrl-C, come to all alike.
  static func leave(_ code: ExitCode) {
    guard let joined = joined.withLock({ $0 }) else { return }
    if code == .success || code == Interruption.exitCode {
      joined.finish()
    } else {
      joined.abort(code.rawValue)
    }
  }

  /// Gives the first rank time to say what is wrong for all, which ends this process too.
  static func awaitOthersError() {
    if isSilent { sleep(2) }
  }
}

/// A command whose work several ranks share.
protocol RankedCommand: ParsableCommand {}

extension ParsableCommand {
  fileprivate var name: String {
    Self.configuration.commandName ?? "\(Self.self)".lowercased()
  }
}
