import Analysis
import ArgumentParser
import Foundation
import Training

struct BenchExchangeCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "exchange",
    abstract: "Measure what sums of gradients over ranks take, alone and in steps.",
    discussion: """
      Start it with mpirun, on the hosts and with the options of the training that is to come. The \
      model is as for 'bench train'. In turn a gradient of its size is summed over all ranks by itself, \
      and a step is taken on random tokens, of which the sum is a part. Passes hide that part of it which \
      is done when the slowest rank's passes are.

      With --link-gbit and --link-latency ranks on one machine wait for each other as on hosts with such a \
      network, so that a plan for more hosts can be tried before there are any. They still share the \
      machine's cores: the figures hold where ranks wait longer than they work.

      mpirun -np 4 --hostfile hosts speculate bench exchange
      mpirun -np 2 speculate bench exchange --hidden 512 --layers 10 --exchange bf16 --json
      mpirun -np 4 --oversubscribe speculate bench exchange --threads 1 --link-gbit 1 --link-latency 50
      """)

  @OptionGroup(title: "Model") var model: TrainSizes
  @OptionGroup(title: "Step") var batch: BatchFlags
  @OptionGroup var precision: PrecisionOption
  @OptionGroup var sums: LaneOptions
  @OptionGroup(title: "Network") var network: LinkOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    Interruption.watch()
    let ranks = try network.linked(Ranks.join())
    let progress = ProgressLine("measuring", unit: "rounds", total: rounds.count)
    progress.update(0)
    let bench = try TrainBench(
      model.architecture, batch: batch, precision: precision.wanted, threads: threads.count,
      ranks: ranks, lanes: sums.lanes, sums: sums.exchange)
    try bench.warmUp()
    _ = try bench.measureSum()
    var (alone, steps, waits) = ([Double](), [OptimizationTimes](), [Double]())
    // All ranks end after the same round.
    while steps.count < rounds.count, try ranks.sum([Interruption.requested ? 1 : 0]) as Int == 0 {
      alone.append(try bench.measureSum())
      let times = try bench.measureStep()
      let slowest = try ranks.sum([Greatest(value: times.passes)]).value
      steps.append(times)
      // Ranks don't begin a step at quite the same time.
      waits.append(max(0, times.passes + times.sum - slowest))
      progress.update(steps.count)
    }
    progress.clear()
    guard !steps.isEmpty else { throw Interruption.exitCode }
    guard ranks.isFirst else { return }
    let sum = median(alone)
    let within = median(waits)
    let whole = median(steps.map(\.total))
    let bytes = bench.exchange.bytes(ofValues: bench.parameterCount)
    let report = Report(
      machine: Machine(threads: bench.threads), ranks: ranks.rankCount,
      lanes: bench.exchange.laneCount, exchange: bench.exchange.precision.rawValue,
      linkGbit: network.gigabits, linkLatencyUs: network.microseconds,
      parameters: bench.parameterCount, batch: batch.sequences, length: batch.length,
      bytes: bytes, rounds: steps.count, secondsPerSum: sum,
      gigabytesPerSecond: Double(bytes) / sum / 1e9, secondsPerStep: whole,
      secondsOfSumInStep: within, shareOfStep: within / whole,
      hiddenShare: max(0, 1 - within / sum))
    try CommandReport(lines: report.lines, parts: [report]).show(json: json)
  }

  private struct Report: Encodable {
    var machine: Machine
    var ranks: Int
    var lanes: Int
    var exchange: String
    /// Of the network that messages were held back for; left out where there was none.
    var linkGbit: Double?
    var linkLatencyUs: Double?
    var parameters: Int
    var batch: Int
    var length: Int
    /// Of a gradient, as it goes over a link, once in each direction.
    var bytes: Int
    var rounds: Int
    var secondsPerSum: Double
    var gigabytesPerSecond: Double
    var secondsPerStep: Double
    /// What a step waits for the sum once all passes are done.
    var secondsOfSumInStep: Double
    var shareOfStep: Double
    var hiddenShare: Double

    /// What messages were held back for.
    private var network: String? {
      let parts = [
        linkGbit.map { String(format: "%g Gbit/s", $0) },
        linkLatencyUs.map { String(format: "%g µs", $0) },
      ].compactMap(\.self)
      return parts.isEmpty ? nil : "as over a network of \(parts.joined(separator: " and "))"
    }

    var lines: [String] {
      [
        "\(machine.line) a rank | \(ranks) rank\(ranks == 1 ? "" : "s"), \(lanes) "
          + "lane\(lanes == 1 ? "" : "s"), sums in \(exchange)",
        network,
        "\(Figures.count(parameters)) parameters, \(Figures.count(bytes)) bytes each way, "
          + "\(batch) × \(length) tokens a step",
        "sum alone: \(Figures.fixed(1000 * secondsPerSum, 2)) ms, "
          + "\(Figures.fixed(gigabytesPerSecond, 2)) GB/s each way",
        "step: \(Figures.fixed(1000 * secondsPerStep, 2)) ms, of which it waits for the sum "
          + "\(Figures.fixed(1000 * secondsOfSumInStep, 2)) ms, "
          + "\(Figures.fixed(100 * shareOfStep, 1)) %",
        "passes hide \(Figures.fixed(100 * hiddenShare, 1)) % of the sum alone "
          + "(\(BenchSubject.median(rounds)))",
      ].compactMap(\.self)
    }
  }
}

/// The greatest of all ranks' values.
private struct Greatest: LossSum {
  var value = 0.0

  static func += (sum: inout Greatest, other: Greatest) { sum.value = max(sum.value, other.value) }
}
