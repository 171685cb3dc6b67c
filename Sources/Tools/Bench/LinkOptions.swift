import ArgumentParser
import Training

/// A network that isn't there, for measurements of sums over it.
struct LinkOptions: ParsableArguments {
  @Option(
    """
    Hold messages between ranks back as if each rank were a host of its own, whose adapter to a switch \
    sends so many gigabits a second, and receives as many at once. All ranks must run on one machine. \
    (default: as fast as they go)
    """, value: "gbit", name: .customLong("link-gbit"))
  var gigabits: Double?
  @Option(
    """
    Microseconds on their way from one rank to another, beside what --link-gbit takes. All ranks must run \
    on one machine. (default: as fast as they go)
    """, value: "us", name: .customLong("link-latency"))
  var microseconds: Double?

  func validate() throws {
    try OptionCheck.range("--link-gbit", gigabits, 0.001...10_000)
    try OptionCheck.range("--link-latency", microseconds, 0...1_000_000)
  }

  /// The network, if there is to be one.
  var link: NetworkLink? {
    guard gigabits != nil || microseconds != nil else { return nil }
    return NetworkLink(
      bytesPerSecond: gigabits.map { $0 * 1e9 / 8 }, latency: (microseconds ?? 0) * 1e-6)
  }

  /// Puts the network between ranks.
  ///
  /// - Throws: `ValidationError` where there is nothing that it could slow, `SpeculateError` where ranks have
  ///   no clock in common.
  func linked(_ ranks: any Communicator) throws -> any Communicator {
    guard let link else { return ranks }
    let option = gigabits == nil ? "--link-latency" : "--link-gbit"
    guard !ranks.isAlone else {
      throw ValidationError(
        "\(option) slows messages between ranks, and there is one: start with mpirun -np 2 or more, or "
          + "leave it out")
    }
    try ranks.agree(
      ["host": hostName],
      advice: "\(option) needs the clock of one machine: start all ranks there, or leave it out")
    return LinkedCommunicator(ranks, link: link)
  }
}
