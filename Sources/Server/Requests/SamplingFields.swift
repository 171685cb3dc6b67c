import Files
import Speculate

/// How an answer's tokens are chosen and when it ends: the fields that chats and completions share.
struct SamplingFields {
  var parameters: GenerationParameters
  /// Whether the request names a seed; the noise of one without is its own.
  let isSeeded: Bool
  /// Answers to one prompt.
  let count: Int
  let stream: Bool
  let includeUsage: Bool
  /// Whether to say where each part of the text came from: `{"speculate": {"origins": true}}`.
  let origins: Bool

  private static let mostStops = 16
  /// More answers to one prompt are a slip of the finger.
  private static let mostAnswers = 128

  /// Reads the fields.
  ///
  /// - Parameters:
  ///   - limit: the most tokens, as the request's own fields say; nil for as many as fit.
  ///   - defaults: what a request that says nothing gets.
  /// - Throws: ``APIError`` naming the field that is wrong.
  init(_ fields: RequestFields, limit: Int?, defaults: SamplingParameters, vocabulary: Int) throws {
    try RefusedFields.check(fields)
    var sampling = defaults
    if let value = try fields.number("temperature", 0...100) { sampling.temperature = value }
    if let value = try fields.number("top_p", 0...1) { sampling.topP = value }
    if let value = try fields.integer("top_k", -1 ... .max) { sampling.topK = max(0, value) }
    if let value = try fields.number("min_p", 0...1) { sampling.minP = value }
    if let value = try fields.number("repetition_penalty", 0.1...10) {
      sampling.repetitionPenalty = value
    }
    if let value = try fields.number("presence_penalty", -2...2) {
      sampling.presencePenalty = value
    }
    if let value = try fields.number("frequency_penalty", -2...2) {
      sampling.frequencyPenalty = value
    }
    sampling.logitBias = try Self.bias(fields, vocabulary: vocabulary)
    let seed = try fields.integer("seed", .min ... .max)
    isSeeded = seed != nil
    sampling.seed = seed.map { UInt64(bitPattern: Int64($0)) } ?? .random(in: 0 ... .max)
    parameters = GenerationParameters(
      sampling: sampling, maximumTokens: limit ?? .max, stopStrings: try Self.stops(fields),
      ignoresEnd: try fields.flag("ignore_eos") ?? false,
      constraint: try ConstraintFields.constraint(fields))
    if parameters.constraint != nil, parameters.ignoresEnd {
      throw APIError.value(
        "ignore_eos",
        "\"ignore_eos\" can't be with an answer that is held to a grammar; leave one out")
    }
    do {
      try sampling.validated()
    } catch {
      throw APIError.refused(error, parameter: Self.field(of: error))
    }
    count = try fields.integer("n", 1...Self.mostAnswers) ?? 1
    stream = try fields.flag("stream") ?? false
    let options = try fields.object("stream_options")
    guard stream || options == nil else {
      throw APIError.value("stream_options", "\"stream_options\" belong to \"stream\": true")
    }
    includeUsage = try options?.flag("include_usage") ?? false
    origins = try fields.object("speculate")?.flag("origins") ?? false
  }

  /// The parameters of one of the answers, each with noise of its own. The first is the one that a request
  /// for a single answer gets.
  func parameters(ofAnswer index: Int) -> GenerationParameters {
    var own = parameters
    if index > 0 {
      own.sampling.seed = SplitMix.mix(own.sampling.seed &+ UInt64(index) &* SplitMix.step)
    }
    return own
  }

  private static func stops(_ fields: RequestFields) throws -> [String] {
    guard let node = fields.node("stop") else { return [] }
    let texts = node.isArray ? try node.elements().map(\.string) : [node.string]
    guard let stops = texts as? [String] else {
      throw fields.wrongType("stop", "a text or a list of texts")
    }
    guard stops.count <= mostStops else {
      throw APIError.value("stop", "\"stop\" has \(stops.count) texts; use \(mostStops) at most")
    }
    guard !stops.contains("") else {
      throw APIError.value("stop", "a text of \"stop\" is empty; give at least one character")
    }
    return stops
  }

  private static func bias(_ fields: RequestFields, vocabulary: Int) throws -> [Token: Float] {
    guard let node = fields.node("logit_bias") else { return [:] }
    guard node.isObject else { throw fields.wrongType("logit_bias", "an object of token ids") }
    var bias: [Token: Float] = [:]
    try node.forEachMember { key, value in
      let name = key.string ?? ""
      guard let token = Token(name), token >= 0, Int(token) < vocabulary else {
        throw APIError.value(
          "logit_bias",
          "\"logit_bias\" names \(quoted(name)), which is no id of 0 to \(vocabulary - 1)")
      }
      guard !value.isString, let number = value.number, (-100...100).contains(number) else {
        throw APIError.value(
          "logit_bias.\(name)", "the bias of token \(token) is no number of -100 to 100")
      }
      bias[token] = Float(number)
    }
    return bias
  }

  /// The field that a refusal of the library begins with.
  private static func field(of error: any Error) -> String? {
    let fields = ["temperature", "top_k", "top_p", "min_p", "repetition_penalty"]
    let text = "\(error)"
    return fields.first {
      text.hasPrefix($0.replacing("_", with: "-")) || text.hasPrefix($0.replacing("_", with: " "))
    }
  }
}
