import Files
import Foundation
import Speculate
import TestSupport
import Testing

@Suite struct LogitProcessorTests {
  /// The filters written down plainly: one full sort, falling logit, ties by rising index.
  static func reference(
    _ logits: [Float], _ parameters: SamplingParameters, text: [Token]
  ) -> [Float] {
    var row = logits
    for token in Set(text) where Int(token) < row.count {
      let logit = row[Int(token)]
      row[Int(token)] =
        logit < 0 ? logit * parameters.repetitionPenalty : logit / parameters.repetitionPenalty
    }
    guard !parameters.isGreedy else { return row }
    row = row.map { $0 / parameters.temperature }
    let top = row.max()!
    var order = row.indices.sorted { (row[$0], $1) > (row[$1], $0) }
    if parameters.topK > 0, parameters.topK < order.count {
      let least = row[order[parameters.topK - 1]]
      order = order.filter { row[$0] >= least }
    }
    if parameters.topP < 1 {
      let weights = order.map { Double(exp(row[$0] - top)) }
      let wanted = Double(parameters.topP) * weights.reduce(0, +)
      var before = 0.0
      var kept = 0
      while kept < order.count, before < wanted {
        before += weights[kept]
        kept += 1
      }
      order = Array(order[..<kept])
    }
    if parameters.minP > 0 { order = order.filter { row[$0] >= top + log(parameters.minP) } }
    let kept = Set(order)
    return row.indices.map { kept.contains($0) ? row[$0] : -.infinity }
  }

  static func processed(
    _ logits: [Float], _ parameters: SamplingParameters, text: [Token]
  ) -> [Float] {
    var row = logits
    let context = TokenPresence(vocabulary: logits.count)
    for token in text { context.insert(token) }
    var processor = LogitProcessor(parameters)
    let isFinite = row.withUnsafeMutableBufferPointer { processor.process($0, context: context) }
    #expect(isFinite)
    return row
  }

  @Test(arguments: [1, 2, 33, 1000]) func equalsTheFullSort(_ columns: Int) {
    var random = RandomNumbers(seed: UInt64(columns))
    for temperature: Float in [0, 0.6, 1, 1.7] {
      for topK in [0, 1, 5, 40, 5000] {
        for topP: Float in [1, 0.95, 0.5, 0.01] {
          for minP: Float in [0, 0.05, 1] {
            let parameters = SamplingParameters(
              temperature: temperature, topK: topK, topP: topP, minP: minP,
              repetitionPenalty: topK == 5 ? 1.3 : 1)
            var row = random.logits(columns, spread: [0.2, 2, 12].randomElement(using: &random)!)
            // Ties, also at the cuts.
            if Bool.random(using: &random) { row = row.map { ($0 * 2).rounded() / 2 } }
            let text = (0..<20).map { _ in Token.random(in: 0..<Token(columns), using: &random) }
            #expect(
              Self.processed(row, parameters, text: text)
                == Self.reference(row, parameters, text: text))
          }
        }
      }
    }
  }

  @Test func tiesAtTopKStayAndTiesAtTopPGoByIndex() {
    let row: [Float] = [0, 1, 1, 1, 0]
    let infinity = -Float.infinity
    #expect(
      Self.processed(row, SamplingParameters(temperature: 1, topK: 2), text: [])
        == [infinity, 1, 1, 1, infinity])
    #expect(
      Self.processed(row, SamplingParameters(temperature: 1, topP: 0.3), text: [])
        == [infinity, 1, 1, infinity, infinity])
  }

  @Test func theMostProbableTokenAlwaysStays() {
    let row: [Float] = [-3, -1, -2]
    let parameters = SamplingParameters(temperature: 1, topK: 1, topP: 1e-6, minP: 1)
    #expect(Self.processed(row, parameters, text: []) == [-.infinity, -1, -.infinity])
  }

  @Test func thePenaltyCountsEveryTokenOnce() {
    let parameters = SamplingParameters(repetitionPenalty: 2)
    #expect(
      Self.processed([4, -4, 1, 0], parameters, text: [0, 1, 0, 1, 1, 3]) == [2, -8, 1, 0])
  }

  @Test func aMapPenalisesTheColumnsOfItsTokens() throws {
    let map = try VocabularyMap(tokens: [1, 3], vocabulary: 5)
    let context = TokenPresence(vocabulary: 5)
    for token: Token in [0, 3, 4] { context.insert(token) }
    var row: [Float] = [4, 4]
    var processor = LogitProcessor(SamplingParameters(repetitionPenalty: 2))
    _ = row.withUnsafeMutableBufferPointer { processor.process($0, context: context, map: map) }
    #expect(row == [4, 2])
  }

  /// What transformers' own processors compute (Tests/Fixtures/sampling.json).
  @Test func equalsTransformers() throws {
    struct Case: Decodable {
      var logits: [Float]
      var context: [Token]
      var temperature: Float
      var topK: Int
      var topP: Float
      var minP: Float
      var repetitionPenalty: Float
      var probabilities: [Double]
    }
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/sampling.json").standardized
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let cases = try decoder.decode([String: [Case]].self, from: Data(contentsOf: file))
    for test in try #require(cases["cases"]) {
      let parameters = SamplingParameters(
        temperature: test.temperature, topK: test.topK, topP: test.topP, minP: test.minP,
        repetitionPenalty: test.repetitionPenalty)
      let row = Self.processed(test.logits, parameters, text: test.context)
      let weights = row.map { exp(Double($0)) }
      let total = weights.reduce(0, +)
      for (weight, probability) in zip(weights, test.probabilities) {
        #expect(abs(weight / total - probability) < 1e-6)
        #expect((weight == 0) == (probability == 0))
      }
    }
  }

  /// What transformers and llama.cpp make of biases and penalties (Tests/Fixtures/penalties.json).
  @Test func biasesAndPenaltiesEqualOtherImplementations() throws {
    struct Case: Decodable {
      var logits: [Float]
      var prompt: [Token]
      var output: [Token]
      var repetitionPenalty: Float
      var presencePenalty: Float
      var frequencyPenalty: Float
      var logitBias: [String: Float]
      var result: [Float]
    }
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/penalties.json").standardized
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let cases = try decoder.decode([String: [Case]].self, from: Data(contentsOf: file))
    let tests = try #require(cases["cases"])
    #expect(tests.count == 8)
    for test in tests {
      var biases: [Token: Float] = [:]
      for (name, bias) in test.logitBias { biases[try #require(Token(name))] = bias }
      // At temperature 1 nothing else is done to the row.
      let parameters = SamplingParameters(
        temperature: 1, repetitionPenalty: test.repetitionPenalty,
        presencePenalty: test.presencePenalty, frequencyPenalty: test.frequencyPenalty,
        logitBias: biases)
      let context = TokenPresence(vocabulary: test.logits.count, counts: true)
      for token in test.prompt { context.insert(token) }
      for token in test.output { context.insert(token, isOutput: true) }
      var row = test.logits
      var processor = LogitProcessor(parameters)
      _ = row.withUnsafeMutableBufferPointer { processor.process($0, context: context) }
      for (value, expected) in zip(row, test.result) { #expect(abs(value - expected) < 1e-5) }

      // What is written without new settings is read as before, and they come back.
      let data = try JSONEncoder().encode(parameters)
      #expect(try JSONDecoder().decode(SamplingParameters.self, from: data) == parameters)
    }
    let plain = try JSONEncoder().encode(SamplingParameters(temperature: 0.5, seed: 3))
    let keys = try #require(JSONSerialization.jsonObject(with: plain) as? [String: Any]).keys
    #expect(
      keys.sorted() == ["minP", "repetitionPenalty", "seed", "temperature", "topK", "topP"])
  }

  @Test func presenceKnowsEachTokenOnce() {
    let presence = TokenPresence(vocabulary: 10)
    for token: Token in [3, 5, 3, 12, -1] { presence.insert(token) }
    #expect(presence.distinct == [3, 5])
    #expect(presence.contains(5) && !presence.contains(4) && !presence.contains(12))
  }

  /// A drafter's own drafts are penalised like the text, and the text doesn't learn of them.
  @Test func draftsArePenalisedApart() {
    let context = TokenPresence(vocabulary: 4)
    context.insert(1)
    var chooser = DraftChooser(
      SamplingParameters(repetitionPenalty: 2), choice: .argmax, context: context)
    func draft(_ logits: [Float]) -> Token {
      var row = logits
      return row.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return -1 }
        return chooser.choose(base, count: 4, position: 1)?.token ?? -1
      }
    }
    let logits: [Float] = [3, 5, 4, 1]
    #expect((0..<4).map { _ in draft(logits) } == [2, 0, 1, 1])
    #expect(context.distinct == [1])
  }
}
