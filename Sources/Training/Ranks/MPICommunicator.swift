import CMPI
import Files
import Foundation

/// The processes that Open MPI's `mpirun`, or Slurm's `srun --mpi=pmix`, started together.
package struct MPICommunicator: Communicator {
  package let rank: Int
  package let rankCount: Int

  /// The most bytes of one message.
  private static let largest = 1 << 30

  /// Whether this process was started as one of a job's, and if so which, as its environment says.
  package static func place(
    in environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> (rank: Int, rankCount: Int)? {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if let rank = number("OMPI_COMM_WORLD_RANK"), let count = number("OMPI_COMM_WORLD_SIZE") {
      return (rank, count)
    }
    if let rank = number("PMIX_RANK"), let count = number("SLURM_NTASKS") { return (rank, count) }
    return nil
  }

  /// Says whether Open MPI is on this machine; nil if it is, else what is wrong.
  package static func complaint() -> String? {
    cm_load().map { String(cString: $0) }
  }

  /// The library's description of itself, once it is loaded.
  package static var version: String { String(cString: cm_version()) }

  /// Joins the job. Once in a process.
  ///
  /// - Throws: `SpeculateError` that says what to install where there is no Open MPI.
  package init() throws {
    if let wrong = Self.complaint() {
      throw SpeculateError(
        "mpirun started this process, but \(wrong): install Open MPI 4 or 5 on every host (make "
          + "setup-mpi; Debian: apt-get install openmpi-bin), or start without mpirun")
    }
    var (rank, count) = (Int32(0), Int32(0))
    try Self.check(cm_start(&rank, &count))
    (self.rank, rankCount) = (Int(rank), Int(count))
  }

  package func send(
    _ bytes: UnsafeRawBufferPointer, to rank: Int, on channel: Channel
  ) throws -> any Transfer {
    precondition(bytes.count <= Self.largest, "a message has at most 2^30 bytes")
    let transfer = MPITransfer()
    try Self.check(
      cm_send(
        bytes.baseAddress, bytes.count, Int32(rank), Int32(channel.rawValue), &transfer.request)
    )
    return transfer
  }

  package func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, on channel: Channel
  ) throws -> any Transfer {
    precondition(bytes.count <= Self.largest, "a message has at most 2^30 bytes")
    let transfer = MPITransfer()
    try Self.check(
      cm_receive(
        bytes.baseAddress, bytes.count, Int32(rank), Int32(channel.rawValue), &transfer.request))
    return transfer
  }

  package func arrived(on channel: Channel) throws -> (rank: Int, count: Int)? {
    var (found, rank, count) = (Int32(0), Int32(0), 0)
    try Self.check(cm_probe(Int32(channel.rawValue), &found, &rank, &count))
    return found != 0 ? (Int(rank), count) : nil
  }

  /// Leaves the job, when all ranks do.
  package func finish() { cm_finish() }

  /// Ends the processes of all ranks.
  package func abort(_ code: Int32) { cm_abort(code) }

  fileprivate static func check(_ wrong: UnsafePointer<CChar>?) throws {
    guard let wrong else { return }
    throw SpeculateError(
      "\(String(cString: wrong)): a rank or its host is lost; start the same command again")
  }
}

private final class MPITransfer: Transfer {
  var request: UnsafeMutableRawPointer?

  func isDone() throws -> Bool {
    var done: Int32 = 0
    try MPICommunicator.check(cm_test(&request, &done))
    return done != 0
  }
}
