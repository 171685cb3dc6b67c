import Drafter
import Files
import Foundation
import Speculate
import TestSupport
import Testing
import Text
import Verifier

/// Outputs that are held to a grammar: they are texts of it, and every way to decode gives the same.
@Suite(.serialized) struct ConstraintTests {
  static let trie = TokenTrie(CharacterTokenizer())
  static let forms: [Constraint.Form] = [
    .jsonSchema(
      #"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}, "age": {"type": "integer", "minimum": 0, "maximum": 99}, "tags": {"type": "array", "items": {"enum": ["red", "blue", "green"]}, "maxItems": 3}}, "required": ["name", "age"]}"#
    ),
    .jsonSchema(
      #"{"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "object", "properties": {"name": {"enum": ["ann", "bob"]}, "ok": {"type": "boolean"}}, "required": ["name", "ok"]}}"#
    ),
    .grammar("root ::= item{3,6} \"}\"\nitem ::= [a-e]{1,3} \": \" (\"true\" | [0-9]{2}) \", \""),
    .choice(["name", "age", "named", "{\"name\": true}"]),
    .pattern("(na|me){2,9}(, [0-9]{3})*?\\]"),
  ]

  static let grammars = Result { try forms.map { try Constraint($0) } }

  /// A prompt and what it is decoded with.
  struct Case {
    var prompt: [Token]
    var parameters: GenerationParameters
    var constraint: Constraint
    var plain: [Token] = []
    var reason: FinishReason?
  }

  static func text(_ ids: [Token]) -> String { CharacterTokenizer().decode(ids, skipSpecial: true) }

  private func cases(
    _ count: Int, temperature: Float, maximumTokens: Int = 90, runner: CausalRunner
  ) throws -> [Case] {
    let constraints = try Self.grammars.get()
    return try TinyModels.prompts(count).enumerated().map { index, prompt in
      var own = Case(
        prompt: prompt,
        parameters: GenerationParameters(
          sampling: SamplingParameters(
            temperature: temperature, topK: [0, 4][index % 2], topP: [1, 0.9][index / 2 % 2],
            repetitionPenalty: [1, 1.2][index / 4 % 2],
            logitBias: index % 3 == 0 ? [5: 2, 0: -3] : [:],
            seed: UInt64(index)),
          maximumTokens: maximumTokens),
        constraint: constraints[index % constraints.count])
      own.parameters.constraint = own.constraint
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: TinyModels.configuration.maximumContext),
        prompt: prompt, parameters: own.parameters,
        grammar: TokenGrammar(own.constraint.grammar, Self.trie))
      own.plain = Array(decoder)
      own.reason = decoder.finishReason
      #expect(decoder.failure == nil)
      return own
    }
  }

  /// Whether a text is one of the grammar's, or the beginning of one.
  private func check(_ one: Case) throws {
    let grammar = try TokenGrammar(one.constraint.grammar, TokenTrie(MarkupTokenizer()))
    var state = grammar.start
    for byte in Self.text(one.plain).utf8 {
      state = try #require(try grammar.advance(state, by: Token(byte)), "\(Self.text(one.plain))")
    }
    if one.reason == .endToken {
      #expect(grammar.accepts(state) && one.plain.last == 60)
    } else {
      #expect(one.reason == .length || one.reason == .context)
    }
  }

  @Test(arguments: [Float(0), 1]) func outputsAreTextsOfTheGrammar(_ temperature: Float) throws {
    let runner = TinyModels.runner(threads: 1)
    let cases = try cases(60, temperature: temperature, runner: runner)
    for one in cases { try check(one) }
    #expect(cases.count { $0.reason == .endToken } > 40)
    let people = try Self.grammars.get()[0]
    for one in cases where one.constraint == people && one.reason == .endToken {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(Self.text(one.plain).utf8)) as? [String: Any])
      let (name, age) = (object["name"] as? String, object["age"] as? Int)
      #expect((0...5).contains(name?.unicodeScalars.count ?? -1))
      #expect((0...99).contains(age ?? -1))
      for tag in object["tags"] as? [String] ?? [] {
        #expect(["red", "blue", "green"].contains(tag))
      }
      #expect(Set(object.keys).isSubset(of: ["name", "age", "tags"]))
    }
    // The constraint changes what is written, or it proves nothing.
    let free = try TinyModels.plain(
      cases[0].prompt, GenerationParameters(sampling: cases[0].parameters.sampling), runner: runner)
    #expect(free.ids != cases[0].plain)
  }

  /// Every kind of strategy, chains and trees, with drafts of every quality.
  @Test(arguments: [Float(0), 1], [1, 2])
  func everyWayEqualsPlain(_ temperature: Float, _ threads: Int) throws {
    let runner = TinyModels.runner(threads: threads, taps: [0, 1])
    let context = TinyModels.configuration.maximumContext
    let cases = try cases(30, temperature: temperature, runner: runner)
    let drafters: [DrafterModel] = [
      .block(TinyModels.drafter(blockSize: 8)),
      .block(TinyModels.drafter(blockSize: 5, kind: .tokens)),
      .causal(CausalModel(random: TinyModels.configuration, seed: 9)),
      .causal(CausalModel(random: TinyModels.configuration, seed: 9), passes: 2),
    ]
    let adaptive = DraftLength.adaptive(AdaptiveDraftLength(CostModelTests.model))
    var all = GenerationStatistics()
    for (index, one) in cases.enumerated() {
      func source(_ model: Int) throws -> any DraftSource {
        try drafters[model].makeSource(
          target: runner.model, workers: runner.workers, capacity: context)
      }
      let oracle = OracleSource(
        future: one.prompt + one.plain, quality: .chance(0.8), maximumDrafts: 9,
        vocabulary: TinyModels.vocabulary, seed: UInt64(index))
      let everything = FreeDraftOptions(suffix: true, recycling: true)
      let model = index % drafters.count
      let strategies: [any RoundStrategy] = [
        DraftStrategy(source: nil, length: adaptive, free: FreeDraftOptions(suffix: false)),
        DraftStrategy(source: nil, length: .fixed(6), free: everything),
        DraftStrategy(source: oracle, length: .fixed(7)),
        DraftStrategy(source: oracle, length: adaptive, free: everything),
        DraftStrategy(source: try source(model), length: .fixed(5), choice: .argmax),
        DraftStrategy(
          source: try source(model), length: adaptive, choice: .coupled, branches: 3,
          free: everything),
        try JacobiStrategy(
          options: JacobiOptions(block: 6, rows: index % 2 == 0 ? nil : 9),
          policy: JacobiPolicy(CostModelTests.model.verify, maximumRows: runner.maximumRows)),
      ]
      for (number, strategy) in strategies.enumerated() {
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: one.prompt,
          parameters: one.parameters, strategy: strategy,
          grammar: TokenGrammar(one.constraint.grammar, Self.trie))
        #expect(Array(decoder) == one.plain, "case \(index), strategy \(number)")
        #expect(decoder.finishReason == one.reason && decoder.failure == nil)
        all += decoder.statistics
        if number == 0 {
          #expect(
            decoder.statistics.acceptedTokens == decoder.statistics.scaffoldTokens)
        }
      }
    }
    #expect(
      all.scaffoldTokens > 200 && all.suffixTokens > 0 && all.acceptedTokens > all.scaffoldTokens)
  }

  /// Sequences with and without grammars share rounds, and one grammar's states.
  @Test(arguments: [Float(0), 1]) func sequencesShareRounds(_ temperature: Float) throws {
    let runner = TinyModels.runner(threads: 2)
    let context = TinyModels.configuration.maximumContext
    let cases = try cases(15, temperature: temperature, runner: runner)
    // So little memory that states are forgotten now and then.
    var grammars: [TokenGrammar] = []
    for constraint in try Self.grammars.get() {
      grammars.append(try TokenGrammar(constraint.grammar, Self.trie, memory: 400))
    }
    let loop = DecodingLoop(runner: runner)
    var runs: [(run: SequenceRun, expected: [Token])] = []
    for (index, one) in cases.enumerated() {
      let strategy = DraftStrategy(
        source: nil, length: .adaptive(AdaptiveDraftLength(CostModelTests.model)),
        free: FreeDraftOptions(recycling: index % 2 == 0))
      var (parameters, expected) = (one.parameters, one.plain)
      if index % 4 == 3 {
        parameters.constraint = nil
        expected = try TinyModels.plain(one.prompt, parameters, runner: runner).ids
      }
      let run = try SequenceRun(
        runner: runner, cache: runner.makeCache(capacity: context), prompt: one.prompt,
        parameters: parameters, strategy: strategy,
        grammar: parameters.constraint == nil ? nil : grammars[index % grammars.count],
        isCancelled: { false })
      runs.append((run, expected))
      loop.add(run)
    }
    while !loop.runs.isEmpty { try loop.round() }
    for (run, expected) in runs {
      var ids: [Token] = []
      while let token = run.take() { ids.append(token) }
      #expect(ids == expected && run.sequence.failure == nil)
    }
    #expect(grammars.contains { $0.epoch > 0 })
  }

  /// The front doors hold outputs to constraints, together with others and alone.
  @Test func generatorsTakeConstraints() async throws {
    let text = TextModel(model: TinyModels.target, tokenizer: CharacterTokenizer())
    let batch = try BatchGenerator(
      text, settings: BatchSettings(maximumSequences: 6), threads: 2, cost: CostModelTests.model)
    let alone = try TextGenerator(
      model: TinyModels.target, tokenizer: CharacterTokenizer(), threads: 1)
    let constraints = try Self.grammars.get()
    let modes: [DecodingMode] = [.speculative(), .plain, .jacobi()]
    let requests = TinyModels.prompts(18).enumerated().map { index, prompt in
      BatchRequest(
        prompt: prompt,
        parameters: GenerationParameters(
          sampling: SamplingParameters(temperature: Float(index % 2), seed: UInt64(index)),
          maximumTokens: 80,
          constraint: index % 3 == 2 ? nil : constraints[index % constraints.count]),
        mode: modes[index % 3])
    }
    try await withThrowingTaskGroup(of: (Int, [Token], String).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask {
          for try await event in try batch.submit(request) {
            if case .finished(let result) = event {
              return (index, result.output.tokens, result.output.text)
            }
          }
          return (index, [], "")
        }
      }
      for try await (index, tokens, text) in group {
        let expected = try alone.generate(
          tokens: requests[index].prompt, parameters: requests[index].parameters, mode: .plain)
        #expect(tokens == expected.tokens && text == expected.text)
        let speculative = try alone.generate(
          tokens: requests[index].prompt, parameters: requests[index].parameters)
        #expect(speculative.tokens == expected.tokens)
      }
    }
    await batch.drain()
  }

  /// What is forced costs no pass: the rounds are fewer by what it brings.
  @Test func scaffoldsSaveRounds() throws {
    let runner = TinyModels.runner(threads: 1)
    let context = TinyModels.configuration.maximumContext
    let cases = try cases(20, temperature: 1, runner: runner)
    var (with, without) = (GenerationStatistics(), GenerationStatistics())
    for one in cases {
      for isOn in [true, false] {
        let decoder = try Decoder(
          runner: runner, cache: runner.makeCache(capacity: context), prompt: one.prompt,
          parameters: one.parameters,
          strategy: DraftStrategy(
            source: nil, length: .fixed(12),
            free: FreeDraftOptions(suffix: false, recycling: !isOn, scaffold: isOn)),
          grammar: TokenGrammar(one.constraint.grammar, Self.trie))
        #expect(Array(decoder) == one.plain)
        if isOn { with += decoder.statistics } else { without += decoder.statistics }
      }
    }
    #expect(without.scaffoldTokens == 0 && with.scaffoldTokens > 100)
    #expect(with.rounds < without.rounds * 9 / 10)
  }

  /// A drafter that sees the target's grammar drafts what can be accepted (F3).
  @Test func draftersSeeTheGrammar() throws {
    let grammar = try TokenGrammar(Grammar(.pattern("[a-e]{30}")), Self.trie)
    let state = ConstraintState(grammar, endTokens: [60])
    var row = RandomNumbers(seed: 3)
    let presence = TokenPresence(vocabulary: TinyModels.vocabulary)
    var chooser = DraftChooser(.greedy, choice: .argmax, context: presence)
    let request = DraftRequest(chooser: chooser)
    request.reset(after: [1, 2, 3], count: 5)
    request.chooser.constrain(to: state.place)
    var free = 0
    for place in 0..<5 {
      var logits = row.logits(TinyModels.vocabulary)
      var again = logits
      let own = request.chooser.choose(
        &logits, count: TinyModels.vocabulary, position: 3 + place)
      let draft = try #require(own)
      let piece = CharacterTokenizer().piece(of: draft.token)
      #expect(["a", "b", "c", "d", "e"].contains(piece))
      let another = chooser.choose(
        &again, count: TinyModels.vocabulary, position: 3 + place)
      let other = try #require(another)
      if other.token != draft.token { free += 1 }
    }
    #expect(free > 0)
  }

  /// Drafts that the grammar forbids aren't verified: what isn't accepted was at least possible.
  @Test func forbiddenDraftsAreDropped() throws {
    let grammar = try TokenGrammar(Grammar(.pattern("(ab|ba)*c")), Self.trie)
    let place = try #require(ConstraintState(grammar, endTokens: [60]).place)
    func ids(_ text: String) -> [Token] {
      text.compactMap { CharacterTokenizer().id(of: String($0)) }
    }
    #expect(place.allowed(ids("abba")) == 4)
    #expect(place.allowed(ids("abc") + [60]) == 4)
    #expect(place.allowed(ids("abc") + [60, 60]) == 4)
    #expect(place.allowed(ids("aab")) == 1)
    #expect(place.allowed([60]) == 0 && place.allowed([-1]) == 0 && place.allowed([5000]) == 0)
    let presence = TokenPresence(vocabulary: TinyModels.vocabulary)
    let request = DraftRequest(
      chooser: DraftChooser(.greedy, choice: .argmax, context: presence))
    var block = request.block
    block.tokens = ids("abab")
    block.confidences = [0.5, 0.5, 0.5, 0.5]
    block.keep(allowedAt: place)
    #expect(block.tokens == ids("abab") && block.confidences.count == 4)
    block.tokens = ids("abbb")
    block.keep(allowedAt: place)
    #expect(block.tokens == ids("abb") && block.confidences.count == 3)
  }

  @Test func mistakesAreNamed() throws {
    let runner = TinyModels.runner(threads: 1)
    func decoder(_ parameters: GenerationParameters, _ grammar: TokenGrammar?) throws -> Decoder {
      try Decoder(
        runner: runner, cache: runner.makeCache(capacity: 100), prompt: [1], parameters: parameters,
        grammar: grammar)
    }
    var parameters = GenerationParameters(constraint: try Constraint(.choice(["é", "x"])))
    let grammar = try TokenGrammar(try #require(parameters.constraint).grammar, Self.trie)
    #expect(throws: SpeculateError("a constraint can't be used here: leave it out")) {
      try decoder(parameters, nil)
    }
    parameters.ignoresEnd = true
    #expect(
      throws: SpeculateError(
        "ignore end can't be with a constraint, whose outputs end where it says: leave one out")
    ) { try decoder(parameters, grammar) }
    parameters.ignoresEnd = false
    parameters.endTokens = []
    #expect(
      throws: SpeculateError(
        "the model names no end token, but an output with a constraint ends with one: give end tokens"
      )
    ) { try decoder(parameters, grammar) }
    #expect(throws: SpeculateError("there is no text to choose")) { try Constraint(.choice([])) }
    // The vocabulary has no "x" and nothing else is allowed.
    parameters = GenerationParameters(constraint: try Constraint(.choice(["ax", "cx"])))
    let stuck = try decoder(
      parameters, TokenGrammar(try #require(parameters.constraint).grammar, Self.trie))
    #expect(Array(stuck).count == 1)
    #expect(
      stuck.failure
        == SpeculateError(
          "no token of the model can go on as the grammar wants at position 2: its vocabulary lacks the characters; change the grammar"
        ))
  }

  /// An end token ends the output, and is never text, whatever its bytes are.
  @Test func endTokensEndAndAreNoText() throws {
    let runner = TinyModels.runner(threads: 1)
    let comma = try #require(CharacterTokenizer().id(of: ","))
    var parameters = GenerationParameters(
      sampling: SamplingParameters(temperature: 1, seed: 4), maximumTokens: 50, endTokens: [comma],
      constraint: try Constraint(.pattern("[a-c,]{2,4}")))
    for seed in 0..<20 {
      parameters.sampling.seed = UInt64(seed)
      let decoder = try Decoder(
        runner: runner, cache: runner.makeCache(capacity: 100), prompt: [1], parameters: parameters,
        grammar: TokenGrammar(try #require(parameters.constraint).grammar, Self.trie))
      let ids = Array(decoder)
      #expect(ids.last == comma && !ids.dropLast().contains(comma) && (3...5).contains(ids.count))
      #expect(decoder.finishReason == .endToken)
    }
  }
}
