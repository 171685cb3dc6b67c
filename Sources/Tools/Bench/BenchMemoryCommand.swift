import Analysis
import ArgumentParser
import Tensors
import Verifier

/// `speculate bench memory`: how fast the target's weights can be read, by one thread and by all.
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

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() throws {
    let weights = try model.load()
    let reader = WeightReader(weights)
    let teams = (threads.count > 1 ? [1, threads.count] : [1]).map { Workers(count: $0) }
    let passes = teams.map { reader.passes(in: 0.2, workers: $0) }
    // One thread and all threads take turns, so that a change of the machine meets both.
    var rates = teams.map { _ in [Double]() }
    let distance = CoreDistance(threads: threads.count)
    Interruption.watch()
    for _ in 0..<rounds.count where !Interruption.requested {
      for (index, team) in teams.enumerated() {
        rates[index].append(reader.measure(passes: passes[index], workers: team))
      }
    }
    let machine = Machine(threads: threads.count, distance: distance?.again())
    let readings = zip(teams, rates).map { team, rates in
      Reading(
        threads: team.count, bandwidthGbs: median(rates) / 1e9,
        spread: Spread(rates.map { $0 / 1e9 }))
    }
    if json {
      try Output.json(
        Report(
          machine: machine, model: model.name, weights: weights.formats.description,
          weightBytes: reader.bytes, rounds: rates[0].count, read: readings))
    } else {
      try Output.line(machine.line)
      try Output.line("\(model.name), \(weights.formats), weights \(Figures.bytes(reader.bytes))")
      for reading in readings {
        try Output.line(
          "read by \(reading.threads) thread\(reading.threads == 1 ? "" : "s"): "
            + "\(Figures.fixed(reading.bandwidthGbs, 1)) GB/s (\(reading.spread.text(1)))")
      }
    }
    if Interruption.requested { throw Interruption.exitCode }
  }

  private struct Reading: Codable {
    var threads: Int
    var bandwidthGbs: Double
    var spread: Spread
  }

  private struct Report: Codable {
    var machine: Machine
    var model: String
    var weights: String
    var weightBytes: Int
    var rounds: Int
    var read: [Reading]
  }
}
