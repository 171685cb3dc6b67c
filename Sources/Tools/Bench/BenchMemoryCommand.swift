import Analysis
import ArgumentParser
import Tensors
import Verifier

struct BenchMemoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory",
    abstract: "Read the target's weights and do nothing else: the ceiling of plain decoding.",
    discussion: """
      Producing one token reads every weight once, so the bytes per second printed here, divided by \
      the bytes of the weights, are the tokens per second that plain decoding can't exceed.
      """)

  @OptionGroup var model: BenchModelOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var rounds: BenchRoundOptions
  @Flag(help: "Print one JSON object instead of text.") var json = false

  func run() throws {
    let weights = try model.load()
    let reader = WeightReader(weights)
    let teams = (threads.count > 1 ? [1, threads.count] : [1]).map { Workers(count: $0) }
    let passes = teams.map { reader.passes(in: 0.2, workers: $0) }
    // One thread and all threads take turns, so that a change of the machine meets both.
    var rates = teams.map { _ in [Double]() }
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    let progress = ProgressLine("measuring", unit: "rounds", total: rounds.count)
    for round in 0..<rounds.count where !Interruption.requested {
      progress.update(round)
      for (index, team) in teams.enumerated() {
        rates[index].append(reader.measure(passes: passes[index], workers: team))
      }
    }
    progress.clear()
    let machine = Machine(threads: threads.count, distance: distance?.again())
    let readings = zip(teams, rates).map { team, rates in
      Reading(
        threads: team.count, bandwidthGbs: median(rates) / 1e9,
        spread: Spread(rates.map { $0 / 1e9 }))
    }
    let subject = BenchSubject(machine, model.name, weights, rounds: rates[0].count)
    let lines = readings.map { reading in
      "read by \(reading.threads) thread\(reading.threads == 1 ? "" : "s"): "
        + "\(Figures.fixed(reading.bandwidthGbs, 1)) GB/s (\(reading.spread.text(1)))"
    }
    try CommandReport(lines: subject.lines + lines, parts: [subject, ["read": readings]])
      .show(json: json)
  }

  private struct Reading: Encodable {
    var threads: Int
    var bandwidthGbs: Double
    var spread: Spread
  }
}
