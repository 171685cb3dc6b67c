import Analysis
import ArgumentParser
import Files
import Foundation
import Speculate
import Training
import Verifier

/// Runs tasks under several configurations in turn, and traces every round.
final class AnalysisRun {
  private let tasks: [PromptTask]
  private let encoder: PromptEncoder
  /// The ids of each task's first prompt; none if the context has no room for it.
  private let prompts: [[Token]?]
  private let configurations: [RunConfiguration]
  private let turns: Int
  private let repeats: Int
  private let threads: Int
  private let ranks: any Communicator

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - promptTokens: How many tokens of a prompt that is no chat are taken; nil for all.
  ///   - ranks: The processes that tasks are dealt out to; the first one writes.
  /// - Throws: `SpeculateError` when a prompt can't be encoded, or none fits the context.
  init(
    tasks: [PromptTask], encoder: PromptEncoder, configurations: [RunConfiguration], turns: Int,
    promptTokens: Int?, repeats: Int, threads: Int, ranks: any Communicator
  ) throws {
    self.tasks = tasks
    self.encoder = encoder
    self.turns = turns
    self.repeats = repeats
    self.threads = threads
    self.ranks = ranks
    self.configurations = configurations.map { configuration in
      configuration.decoding(encoder.parameters(configuration.parameters, for: tasks.map(\.prompt)))
    }
    let context = configurations[0].generator.model.configuration.maximumContext
    prompts = try tasks.map { task in
      let ids = try encoder.encode(task.prompt).ids
      let taken = encoder.becomesChat(task.prompt) ? ids : Array(ids.prefix(promptTokens ?? .max))
      return taken.count < context ? taken : nil
    }
    guard prompts.contains(where: { $0 != nil }) else {
      throw SpeculateError(
        "the target's context has no room for any of the prompts; take fewer tokens of each with "
          + "--prompt-tokens")
    }
  }

  /// Runs all tasks, those that an earlier run traced excepted.
  ///
  /// - Parameter claim: Of the trace's place, from before what stands there is read; nil on ranks that
  ///   don't write.
  ///
  /// - Throws: exit code 130 after Ctrl-C; what is complete is kept.
  func run(to url: URL, claim: OutputClaim?) throws {
    try ranks.agree(
      ["plan": plan()], advice: "give all ranks the same prompts, models and options")
    guard let claim else { return try runOthers() }
    let partial = TraceWriter.partial(of: url)
    let plan = plan()
    var units: [TraceUnit] = []
    var header: TraceHeader
    if FileManager.default.fileExists(atPath: partial.path) {
      let trace = try Trace.read(partial, salvaging: true)
      guard trace.header.plan == plan else {
        throw SpeculateError(
          "\(partial.path) was left by another run, of other prompts, models or configurations; remove it, "
            + "or write to another file")
      }
      let report = AnalysisReport([(partial.lastPathComponent, trace)])
      guard !report.configurations.contains(where: { $0.identical == false }) else {
        throw SpeculateError(
          "\(partial.path) is damaged: its outputs differ from plain decoding's; remove it, which "
            + "starts the run again")
      }
      (header, units) = (trace.header, trace.units)
      Output.note("going on after \(units.count) of \(tasks.count) tasks\n")
    } else {
      header = TraceHeader(
        machine: Machine(threads: threads), configurations: try measured(), plan: plan)
    }
    let writer = try TraceWriter(
      url: url, header: header, tokenizer: configurations[0].generator.tokenizer, resuming: units,
      claim: claim)
    let done = try ranks.broadcast(units.count)
    if done < tasks.count { try warmUp() }
    let progress = ProgressLine("running", unit: "tasks", total: tasks.count - done)
    // Tasks are written in their order, whoever is first.
    var waiting: [Int: TraceUnit] = [:]
    let isComplete = try dealing(header).run(
      Array(done..<tasks.count), shouldStop: { Interruption.requested },
      take: { unit, task, _ in
        waiting[task] = unit
        while let next = waiting.removeValue(forKey: units.count) {
          try writer.write(next)
          units.append(next)
        }
        progress.update(units.count + waiting.count - done, detail: tasks[task].category)
      }, make: make)
    guard isComplete else {
      progress.clear()
      Output.note("interrupted; the same command goes on from here\n")
      throw Interruption.exitCode
    }
    progress.clear()
    Interruption.finish()
    try writer.finish()
    let tooLong = units.count { $0.prompts.isEmpty }
    if tooLong > 0 {
      Output.note("\(tooLong) of \(tasks.count) tasks are too long for the context: left out\n")
    }
  }

  /// What ranks do that don't write.
  private func runOthers() throws {
    let done = try ranks.broadcast(0)
    if done < tasks.count { try warmUp() }
    // What is sent has the header of nobody's file.
    let header = TraceHeader(
      machine: Machine(threads: threads), configurations: configurations.map(\.description),
      plan: plan())
    let isComplete = try dealing(header).run(
      Array(done..<tasks.count), shouldStop: { Interruption.requested }, take: { _, _, _ in },
      make: make)
    Interruption.finish()
    guard isComplete else { throw Interruption.exitCode }
  }

  private func dealing(_ header: TraceHeader) -> Dealing<TraceUnit> {
    let tokenizer = configurations[0].generator.tokenizer
    return Dealing(
      ranks: ranks,
      encode: { unit, task in
        let number = withUnsafeBytes(of: task) { Data($0) }
        return try number + unit.transported(header, tokenizer: tokenizer)
      },
      decode: { data in
        let task = data.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
        let unit = try TraceUnit(
          transported: Data(data.dropFirst(MemoryLayout<Int>.stride)))
        return [(unit, task)]
      })
  }

  /// Runs tasks; returns false after Ctrl-C.
  private func make(
    _ numbers: [Int], _ shouldStop: () -> Bool, _ emit: (TraceUnit, Int) throws -> Void
  ) throws -> Bool {
    for task in numbers {
      if shouldStop() { return false }
      guard let unit = try unit(task) else { return false }
      try emit(unit, task)
    }
    return true
  }

  // MARK: Before the run

  /// The configurations with their pass times, which the report holds against what was measured.
  private func measured() throws -> [TraceConfiguration] {
    var costs: [ObjectIdentifier: CostModel] = [:]
    let lengths = prompts.prefix(32).compactMap { $0?.count }
    let context = lengths.reduce(0, +) / max(1, lengths.count)
    return try configurations.map { configuration in
      var description = configuration.description
      guard configuration.way != .plain else { return description }
      let key = ObjectIdentifier(configuration.generator)
      var cost =
        try costs[key]
        ?? configuration.generator.measureCost(
          context: context + configuration.parameters.maximumTokens / 2)
      costs[key] = cost
      // Drafts from the text, and the target's own guesses, cost next to nothing.
      if configuration.way.drafter == nil { cost.draft = PassTimes([(1, 1e-9)]) }
      description.cost = cost
      return description
    }
  }

  /// A few tokens of each kind, so that no measured run meets cold memory or unmeasured pass times.
  private func warmUp() throws {
    guard let prompt = prompts.lazy.compactMap(\.self).first else { return }
    for configuration in configurations { try configuration.generate(prompt, most: 16) }
  }

  /// What two runs must have in common to be one.
  private func plan() -> String {
    let lines =
      zip(tasks, prompts).map { "\($0.category) \($1 ?? []) \($0.prompt.laterTurns)" }
      + configurations.map { "\($0.description) \($0.way) \($0.parameters)" }
      + ["\(turns) \(repeats)"]
    return String(FNV1a(lines.map { $0 + "\0" }.joined()).value, radix: 16)
  }

  // MARK: One task

  /// All generations of a task; nil after Ctrl-C.
  private func unit(_ number: Int) throws -> TraceUnit? {
    let task = tasks[number]
    var unit = TraceUnit()
    guard let first = prompts[number] else { return unit }
    let groups = configurations.map(\.group).reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    // What each group has been told and has answered. Its outputs are the same in all
    // configurations, so that one conversation serves the group.
    var conversations: [PromptInput.Prompt?] = groups.map { _ in task.prompt }
    for turn in 0..<min(turns, 1 + task.prompt.laterTurns.count) {
      for (index, group) in groups.enumerated() {
        guard let prompt = conversations[index] else { continue }
        let ids = turn == 0 ? first : try encoder.encode(prompt).ids
        guard ids.count < configurations[0].generator.model.configuration.maximumContext else {
          conversations[index] = nil
          continue
        }
        let place = (number * turns + turn) * groups.count + (turn == 0 ? 0 : index)
        if turn > 0 || index == 0 {
          unit.prompts.append(
            TracePrompt(
              number: place, task: number, turn: turn, category: task.category, place: prompt.place,
              ids: ids))
        }
        guard let answer = try run(group, prompt: place, ids, task: number, into: &unit)
        else { return nil }
        conversations[index] = prompt.next(after: answer)
      }
    }
    return unit
  }

  /// Runs the configurations of a group in turn; nil after Ctrl-C.
  ///
  /// - Returns: the text that they all gave.
  private func run(
    _ group: String, prompt: Int, _ ids: [Token], task: Int, into unit: inout TraceUnit
  ) throws -> String? {
    let members = configurations.indices.filter { configurations[$0].group == group }
    var expected: GenerationResult?
    for repetition in 0..<repeats {
      // Who goes first changes, so that none always profits from the others.
      let shift = (task + repetition) % members.count
      for index in members[shift...] + members[..<shift] {
        let collector = RoundCollector()
        let result = try configurations[index].generate(ids, observer: collector)
        if Interruption.requested { return nil }
        expected = expected ?? result
        unit.entries.append(
          TraceEntry(
            configuration: index, prompt: prompt, repetition: repetition,
            generation: collector.generation(result)))
      }
    }
    return expected?.text
  }
}
